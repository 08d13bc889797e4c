import { type Key, t } from '../../text/index.ts'
import { Table } from '../../part/table.tsx'
import type { Vendor } from './certificate.ts'

export const Accounts = ({ vendors }: { vendors: Vendor[] }) => (
  <section>
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
        { id: 'approval', title: 'vendor.approval', value: (v) => v.approval, cell: (v) => <span>{t(`vendor.approval.${v.approval}` as Key)}</span> },
        { id: 'policy', wide: true, title: 'vendor.policy', value: (v) => v.policy, cell: (v) => <span>{t(`vendor.policy.${v.policy}` as Key)}</span> },
        {
          id: 'speaks',
          wide: true,
          title: 'vendor.speaks',
          value: (v) => v.fingerprints.length,
          cell: (v) => <span>{v.fingerprints.length === 0 ? t('vendor.speaks.secret') : t('vendor.speaks.certificate', { n: v.fingerprints.length })}</span>,
        },
      ]}
    />
  </section>
)
