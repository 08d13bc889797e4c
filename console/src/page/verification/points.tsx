import { energy } from '../../format.ts'
import { setSearch } from '../../route.ts'
import { t } from '../../text/index.ts'
import { State } from '../../part/basics.tsx'
import { Table } from '../../part/table.tsx'
import type { Verified } from '../verification.tsx'
import { readingsOf } from './links.ts'

/** What each meter gave, the way to its readings, and to its own chart. */
export function Points({ dispatch: d, p, names, chosen }: Verified & { chosen: string | null }) {
  const nameOf = (id: string): string => names.get(id) ?? id
  return (
    <Table
      name="pt"
      caption="verify.points"
      rows={p.points}
      rowKey={(x) => x.servicePoint}
      empty="verify.none"
      sort="delivered"
      search={(x) => nameOf(x.servicePoint)}
      step={50}
      filters={[{ id: 'status', title: 'common.state', value: (x) => x.status }]}
      columns={[
        {
          id: 'point',
          title: 'device.point',
          value: (x) => nameOf(x.servicePoint),
          cell: (x) => (
            <a href={readingsOf(x.servicePoint, d)} translate={false}>
              {nameOf(x.servicePoint)}
            </a>
          ),
        },
        { id: 'status', title: 'common.state', value: (x) => x.status, cell: (x) => <State of={x.status} /> },
        { id: 'delivered', title: 'dispatch.delivered', num: true, value: (x) => x.delivered_kWh, cell: (x) => energy(x.delivered_kWh) },
        { id: 'reasons', title: 'common.reason', value: (x) => x.reasons.join('; '), cell: (x) => x.reasons.join('; ') },
        {
          id: 'chart',
          title: 'verify.pointChart',
          cell: (x) => (
            <button
              type="button"
              class="small"
              aria-pressed={chosen === x.servicePoint}
              onClick={() => setSearch({ point: chosen === x.servicePoint ? null : x.servicePoint })}
            >
              {t('verify.showPoint')}
              <span class="hide" translate={false}>
                {' '}
                {nameOf(x.servicePoint)}
              </span>
            </button>
          ),
        },
      ]}
    />
  )
}
