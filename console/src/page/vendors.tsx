import { all, get, type List, post } from '../api.ts'
import { plain } from '../format.ts'
import { useLoad } from '../live.ts'
import { may } from '../session.ts'
import { type Key, t } from '../text/index.ts'
import { Act, Await, D, State, Time } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'
import { type Certificate, days, type Vendor, type Waiting } from './vendor/certificate.ts'
import { Revoke } from './vendor/revoke.tsx'
import { Explain } from './vendor/explain.tsx'
import { NewVendor } from './vendor/new-vendor.tsx'
import { Secrets } from './vendor/secrets.tsx'

export function Vendors() {
  const found = useLoad(
    async () => {
      const [vendors, waiting, certificates] = await Promise.all([
        get<List<Vendor>>('/vendors'),
        get<List<Waiting>>('/enrolment-requests'),
        all<Certificate>('/certificates'),
      ])
      return { vendors: vendors.items, waiting: waiting.items, certificates }
    },
    [],
    { every: 15_000 },
  )
  const officer = may('admin', 'caOfficer')
  return (
    <>
      <h1>{t('vendor.list')}</h1>
      <Await of={found}>
        {({ vendors, waiting, certificates }) => (
          <>
            <section class="card">
              <h2>{t('vendor.queue')}</h2>
              {waiting.length === 0 ? (
                <p>{t('vendor.queueEmpty')}</p>
              ) : (
                <ul class="trouble">
                  {waiting.map((w) => (
                    <li key={w.id} class="row">
                      <D>
                        {w.vendor} · {w.hwSerialNum} · {w.requester}
                      </D>
                      <State of={w.state} />
                      {officer && (
                        <>
                          <Act
                            label="vendor.approve"
                            kind="primary"
                            do={async () => {
                              await post(`/enrolment-requests/${encodeURIComponent(w.vendor)}/${encodeURIComponent(w.hwSerialNum)}/decision`, {
                                decision: 'approve',
                              })
                              found.reload()
                            }}
                          />
                          <Act
                            label="vendor.reject"
                            do={async () => {
                              await post(`/enrolment-requests/${encodeURIComponent(w.vendor)}/${encodeURIComponent(w.hwSerialNum)}/decision`, {
                                decision: 'reject',
                              })
                              found.reload()
                            }}
                          />
                        </>
                      )}
                    </li>
                  ))}
                </ul>
              )}
            </section>
            <h2>{t('cert.board')}</h2>
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
                { id: 'state', title: 'common.state', value: (c) => c.state },
                { id: 'vendor', title: 'nav.vendors', value: (c) => c.vendor },
              ]}
              columns={[
                { id: 'device', title: 'cert.device', value: (c) => c.hwSerialNum, cell: (c) => c.hwSerialNum },
                { id: 'vendor', wide: true, title: 'nav.vendors', value: (c) => c.vendor, cell: (c) => c.vendor },
                { id: 'state', title: 'common.state', value: (c) => c.state, cell: (c) => <State of={c.state} /> },
                { id: 'until', title: 'cert.until', value: (c) => c.notAfter, cell: (c) => <Time at={c.notAfter} style="day" /> },
                {
                  id: 'days',
                  wide: true,
                  title: 'cert.days',
                  num: true,
                  value: (c) => days(c),
                  cell: (c) => (
                    <>
                      {c.state === 'valid' && days(c) <= 30 && <span class="state warn">{t('cert.soon')}</span>} <D>{plain(days(c), 0)}</D>
                    </>
                  ),
                },
                { id: 'lfdi', wide: true, title: 'cert.lfdi', value: (c) => c.lfdi, cell: (c) => c.lfdi ?? '–' },
                { id: 'reason', wide: true, title: 'common.reason', value: (c) => c.reason, cell: (c) => c.reason ?? '' },
                { id: 'revoke', title: 'cert.revoke', cell: (c) => (officer && c.state === 'valid' ? <Revoke c={c} reload={found.reload} /> : '') },
              ]}
            />
            <Explain />
            <h2>{t('vendor.accounts')}</h2>
            <Table<Vendor>
              name="ven"
              caption="vendor.accounts"
              rows={vendors}
              rowKey={(v) => v.id}
              empty="vendor.none"
              sort="name"
              columns={[
                { id: 'name', title: 'common.name', value: (v) => v.name, cell: (v) => v.name },
                { id: 'pen', title: 'vendor.pen', num: true, value: (v) => v.pen, cell: (v) => v.pen },
                { id: 'approval', title: 'vendor.approval', value: (v) => v.approval, cell: (v) => t(`vendor.approval.${v.approval}` as Key) },
                { id: 'policy', wide: true, title: 'vendor.policy', value: (v) => v.policy, cell: (v) => t(`vendor.policy.${v.policy}` as Key) },
              ]}
            />
            {officer && (
              <div class="columns">
                <NewVendor reload={found.reload} />
                {vendors.length > 0 && <Secrets vendors={vendors} />}
              </div>
            )}
          </>
        )}
      </Await>
    </>
  )
}
