import { power } from '../../format.ts'
import { t, word } from '../../text/index.ts'
import { State, Time } from '../../part/basics.tsx'
import { Table } from '../../part/table.tsx'
import type { Everything } from './everything.ts'

type Order = Everything['deliveries'][number]
const startOf = (x: Order): string => (x.intervals[0] as { start: string } | undefined)?.start ?? x.at

/** What this device was asked for, the newest first. */
export const Orders = ({ e }: { e: Everything }) => (
  <section>
    <h2>{t('device.orders')}</h2>
    <Table<Order>
      name="od"
      caption="device.orders"
      rows={e.deliveries}
      rowKey={(x) => x.id}
      empty="device.noOrders"
      sort="-start"
      step={20}
      search={(x) => `${x.state} ${x.reason ?? ''} ${x.dispatch}`}
      filters={[{ id: 'state', title: 'common.state', value: (x) => x.state }]}
      columns={[
        {
          id: 'start',
          title: 'nav.dispatches',
          value: startOf,
          cell: (x) => (
            <a href={`#/dispatches/${x.dispatch}`}>
              <Time at={startOf(x)} />
            </a>
          ),
        },
        { id: 'state', title: 'common.state', value: (x) => x.state, cell: (x) => <State of={x.state} /> },
        { id: 'asked_kW', title: 'dispatch.asked', num: true, value: (x) => x.allocated_W / 1000, cell: (x) => power(x.allocated_W / 1000) },
        { id: 'sentAt', wide: true, title: 'step.sent', value: (x) => x.sentAt, cell: (x) => <Time at={x.sentAt} style="time" /> },
        { id: 'acknowledgedAt', wide: true, title: 'step.acknowledged', value: (x) => x.acknowledgedAt, cell: (x) => <Time at={x.acknowledgedAt} style="time" /> },
        { id: 'at', wide: true, title: 'common.at', value: (x) => x.at, cell: (x) => <Time at={x.at} style="time" /> },
        {
          id: 'reason',
          title: 'common.reason',
          value: (x) => x.reason,
          cell: (x) => (
            <span translate={false} title={x.reason}>
              {x.reason ? word('reason', x.reason) : ''}
            </span>
          ),
        },
      ]}
    />
  </section>
)
