import { all, get } from '../api.ts'
import { count, fieldsOf } from '../format.ts'
import { useLoad } from '../live.ts'
import { setSearch, usePlace } from '../route.ts'
import { serverNow, zone } from '../session.ts'
import { t, word } from '../text/index.ts'
import type { Reading, ServicePoint } from '../types.ts'
import { Await, D, State, Time } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'
import { Net } from './device/net-power.tsx'

/** The last reading behind any number: values of one service point between two times, with quality, source and version. */
export function ReadingsPage({ id }: { id: string }) {
  const { search } = usePlace(),
    to = search.get('to') ?? new Date(Math.ceil(serverNow() / 3_600_000) * 3_600_000).toISOString(),
    from = search.get('from') ?? new Date(Date.parse(to) - 86_400_000).toISOString()
  const point = useLoad(() => get<ServicePoint>(`/service-points/${encodeURIComponent(id)}`), [id]),
    z = point.data?.timeZone ?? zone()
  const readings = useLoad(
    () => all<Reading>(`/readings?servicePoint=${encodeURIComponent(id)}&from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`),
    [id, from, to],
  )
  const day = (days: number): void =>
    setSearch({ from: new Date(Date.parse(from) + days * 86_400_000).toISOString(), to: new Date(Date.parse(to) + days * 86_400_000).toISOString() })
  const event =
    search.get('start') && search.get('end')
      ? { from: Date.parse(search.get('start')!) / 1000, to: Date.parse(search.get('end')!) / 1000 }
      : undefined
  return (
    <>
      <h1>{t('point.title', { point: point.data?.name ?? '' })}</h1>
      <p class="row">
        <button type="button" onClick={() => day(-1)}>
          ←<span class="hide">{fieldsOf(Date.parse(from) - 86_400_000, z).day}</span>
        </button>
        <span>
          <Time at={from} in={z} /> – <Time at={to} in={z} /> <D class="soft">{z}</D>
        </span>
        <button type="button" onClick={() => day(1)}>
          →<span class="hide">{fieldsOf(Date.parse(to) + 86_400_000, z).day}</span>
        </button>
      </p>
      <Await of={readings}>
        {(rows) => (
          <>
            {rows.length > 0 && (
              <section class="card">
                <Net readings={rows} {...(event ? { band: event } : {})} />
              </section>
            )}
            <Table<Reading>
              name="r"
              caption="point.all"
              rows={rows}
              rowKey={(r) => `${r.start}${r.channel}`}
              empty="point.none"
              sort="start"
              filters={[
                { id: 'channel', title: 'device.channel', group: 'channel', value: (r) => r.channel },
                { id: 'quality', title: 'device.quality', group: 'quality', value: (r) => r.quality },
              ]}
              columns={[
                { id: 'start', title: 'device.start', value: (r) => r.start, cell: (r) => <Time at={r.start} in={z} /> },
                { id: 'minutes', title: 'point.minutes', num: true, value: (r) => r.minutes, cell: (r) => r.minutes },
                { id: 'Wh', title: 'point.Wh', num: true, value: (r) => r.Wh, cell: (r) => count(r.Wh) },
                { id: 'channel', title: 'device.channel', value: (r) => r.channel, cell: (r) => <span>{word('channel', r.channel)}</span> },
                { id: 'quality', title: 'device.quality', value: (r) => r.quality, cell: (r) => <State of={r.quality} group="quality" /> },
                { id: 'source', title: 'device.source', value: (r) => r.source, cell: (r) => r.source },
                { id: 'receivedAt', title: 'point.received', value: (r) => r.receivedAt, cell: (r) => <Time at={r.receivedAt} in={z} /> },
                { id: 'sourceVersion', title: 'point.version', num: true, value: (r) => r.sourceVersion, cell: (r) => r.sourceVersion },
              ]}
            />
          </>
        )}
      </Await>
    </>
  )
}
