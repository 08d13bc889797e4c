import { count, plain } from '../../format.ts'
import { may, zone } from '../../session.ts'
import { t, word } from '../../text/index.ts'
import { Age, D, State, Time } from '../../part/basics.tsx'
import { Table } from '../../part/table.tsx'
import { type Certificate, daysLeft, endless, endsSoon } from './certificate.ts'
import { Revoke } from './revoke.tsx'

/** What this server issued, what ends next on top. */
export function Board({ certificates, at, reload }: { certificates: Certificate[]; at: string; reload: () => void }) {
  const officer = may('admin', 'caOfficer'),
    n = (state: string): string => count(certificates.filter((c) => c.state === state).length)
  return (
    <section>
      <h2>{t('cert.board')}</h2>
      {certificates.length > 0 && (
        <p data-cert-sum>
          {t('cert.sum', { valid: n('valid'), soon: count(certificates.filter(endsSoon).length), expired: n('expired'), revoked: n('revoked'), replaced: n('superseded') })} <Age at={at} />
        </p>
      )}
      <Table<Certificate>
        name="cert"
        caption="cert.board"
        rows={certificates}
        rowKey={(c) => c.serial}
        empty="cert.none"
        sort="until"
        step={50}
        search={(c) => `${c.hwSerialNum} ${c.lfdi ?? ''} ${c.serial} ${c.vendor}`}
        filters={[
          { id: 'state', title: 'common.state', value: (c) => c.state, group: 'certState' },
          { id: 'vendor', title: 'nav.vendors', value: (c) => c.vendor },
        ]}
        columns={[
          { id: 'device', title: 'cert.device', value: (c) => c.hwSerialNum, cell: (c) => c.hwSerialNum },
          { id: 'vendor', wide: true, title: 'nav.vendors', value: (c) => c.vendor, cell: (c) => c.vendor },
          { id: 'state', title: 'common.state', value: (c) => c.state, cell: (c) => <State of={c.state} group="certState" /> },
          {
            id: 'until',
            title: 'cert.until',
            value: (c) => c.notAfter,
            cell: (c) => (endless(c) ? <span>{t('cert.forever')}</span> : <Time at={c.notAfter} in={zone()} style="day" />),
          },
          {
            id: 'days',
            title: 'cert.days',
            num: true,
            value: daysLeft,
            cell: (c) => (
              <>
                {endsSoon(c) && <span class="state warn">{t('cert.soon')}</span>} <D>{plain(daysLeft(c), 0)}</D>
              </>
            ),
          },
          { id: 'lfdi', wide: true, title: 'cert.lfdi', value: (c) => c.lfdi, cell: (c) => c.lfdi ?? '–' },
          { id: 'reason', wide: true, title: 'common.reason', value: (c) => c.reason, cell: (c) => (c.reason ? <span>{word('revokeReason', c.reason)}</span> : '') },
          ...(officer ? [{ id: 'revoke', title: 'cert.revoke' as const, cell: (c: Certificate) => (c.state === 'valid' || c.state === 'superseded' ? <Revoke c={c} reload={reload} /> : '') }] : []),
        ]}
      />
    </section>
  )
}
