import { energy, percent, power } from '../../format.ts'
import { t, word } from '../../text/index.ts'
import type { Delivery, Progress } from '../../types.ts'
import { D, State, Time } from '../../part/basics.tsx'
import { Table } from '../../part/table.tsx'
import { type Everything, lostStates } from './everything.ts'

interface Part extends Delivery {
  asked_kWh: number | null
  delivered_kWh: number | null
  short_kWh: number | null
}

/** How much of its part is missing, in energy and as a bar: what stands out in a long list. */
function Shortfall({ of: x }: { of: Part }) {
  if (x.short_kWh === null || x.asked_kWh === null) return <D>–</D>
  const missing = Math.max(0, x.short_kWh),
    share = Math.min(1, missing / x.asked_kWh)
  return (
    <span class="barred">
      <D>{energy(missing)}</D>
      <meter min={0} max={1} low={0.05} high={0.5} optimum={0} value={share} aria-label={t('dispatch.missing', { share: percent(share) })} title={t('dispatch.missing', { share: percent(share) })} />
    </span>
  )
}

export function Parts({ e, progress }: { e: Everything; progress: Progress | undefined }) {
  const hours = (Date.parse(e.dispatch.end) - Date.parse(e.dispatch.start)) / 3_600_000
  const soFar = new Map(progress?.points.map((x) => [x.servicePoint, x])),
    done = new Map(e.performance.points?.map((x) => [x.servicePoint, x])),
    slots = progress?.intervals.filter((i) => i.phase === 'event').length ?? 0
  const rows = e.deliveries.map((x): Part => {
    const final = done.get(x.servicePoint),
      now = soFar.get(x.servicePoint),
      part = final || slots === 0 ? 1 : (now?.reported ?? 0) / slots
    const asked = now || final ? (x.allocated_W / 1000) * hours * part : null,
      delivered = final ? final.delivered_kWh : (now?.delivered_kWh ?? null)
    return { ...x, asked_kWh: asked, delivered_kWh: delivered, short_kWh: asked === null || asked === 0 ? null : asked - (delivered ?? 0) }
  })
  return (
    <Table<Part>
      name="part"
      caption="dispatch.deliveries"
      rows={rows}
      rowKey={(x) => x.id}
      empty="device.none"
      sort="-short"
      step={50}
      search={(x) => `${x.resourceName} ${x.remoteId}`}
      rowState={(x) => (lostStates.has(x.state) ? 'lost' : undefined)}
      filters={[
        { id: 'state', title: 'common.state', value: (x) => x.state },
        { id: 'protocol', title: 'device.protocol', group: 'protocol', value: (x) => x.protocol },
      ]}
      columns={[
        {
          id: 'name',
          title: 'common.name',
          value: (x) => x.resourceName,
          cell: (x) => (
            <a href={`#/devices/${x.resource}`} translate={false}>
              {x.resourceName}
            </a>
          ),
        },
        { id: 'protocol', wide: true, title: 'device.protocol', value: (x) => x.protocol, cell: (x) => word('protocol', x.protocol) },
        { id: 'state', title: 'common.state', value: (x) => x.state, cell: (x) => <State of={x.state} /> },
        { id: 'allocated', wide: true, title: 'dispatch.asked', num: true, value: (x) => x.allocated_W / 1000, cell: (x) => power(x.allocated_W / 1000) },
        { id: 'delivered', title: 'dispatch.delivered', num: true, value: (x) => x.delivered_kWh, cell: (x) => energy(x.delivered_kWh) },
        {
          id: 'short',
          title: 'dispatch.shortfall',
          num: true,
          value: (x) => x.short_kWh,
          cell: (x) => <Shortfall of={x} />,
        },
        { id: 'at', wide: true, title: 'common.at', value: (x) => x.at, cell: (x) => <Time at={x.at} in={e.dispatch.timeZone} style="time" /> },
        { id: 'reason', wide: true, title: 'common.reason', value: (x) => x.reason ?? '', cell: (x) => <span title={x.reason} translate={false}>{x.reason ? word('reason', x.reason) : ''}</span> },
      ]}
    />
  )
}
