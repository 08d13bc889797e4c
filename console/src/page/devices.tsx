import { all } from '../api.ts'
import { power } from '../format.ts'
import { useLoad } from '../live.ts'
import { setSearch, usePlace } from '../route.ts'
import { may, serverNow } from '../session.ts'
import { t, word } from '../text/index.ts'
import type { Device } from '../types.ts'
import { Age, Await, State } from '../part/basics.tsx'
import { DeviceMap, deviceState } from '../part/map.tsx'
import { chosen, Table, type Filter } from '../part/table.tsx'

const filters: readonly Filter<Device>[] = [
  { id: 'protocol', title: 'device.protocol', group: 'protocol', value: (d) => d.protocol },
  { id: 'kind', title: 'device.kind', group: 'kind', value: (d) => d.kind },
  { id: 'state', title: 'device.delivery', value: deviceState },
  { id: 'feeder', title: 'device.feeder', value: (d) => d.gridPath[0] ?? null },
]
const search = (d: Device): string => `${d.name} ${d.remoteId ?? ''} ${d.servicePointName ?? ''} ${d.gridPath.join(' ')} ${d.id}`

/** Devices, and when the server said so. */
interface Listed {
  readonly rows: readonly Device[]
  readonly at: string
}
const listed = (rows: readonly Device[]): Listed => ({ rows: [...rows], at: new Date(serverNow()).toISOString() })

/** One list over three protocols; the map shows what the list's filters leave. */
export function Devices() {
  const { search: at } = usePlace(),
    map = at.get('view') === 'map'
  const list = useLoad(async (partly: (d: Listed) => void) => listed(await all<Device>('/devices', (d) => partly(listed(d)))), [], {
    every: 15_000,
    when: (m) =>
      m.action.startsWith('delivery') || m.action.startsWith('dispatch') || m.action.startsWith('resource') || m.action.startsWith('enrolment'),
    pause: 3000,
  })
  return (
    <>
      <div class="row">
        <h1 class="grow">{t('device.list')}</h1>
        <a class="button" href="#/find">
          {t('find.title')}
        </a>
        {may('admin', 'operator') && (
          <a class="button" href="#/devices/new-charger">
            {t('charger.new')}
          </a>
        )}
        <div class="row" role="group">
          {(['list', 'map'] as const).map((v) => (
            <button key={v} type="button" aria-pressed={(v === 'map') === map} onClick={() => setSearch({ view: v === 'map' ? 'map' : null })}>
              {t(v === 'map' ? 'device.asMap' : 'device.asList')}
            </button>
          ))}
        </div>
      </div>
      <Await of={list}>
        {({ rows, at: asOf }) => (
          <>
            <p>
              <Age at={asOf} />
            </p>
            {map && rows.length > 0 && <DeviceMap devices={chosen({ name: 'dev', rows, search, filters }, at)} />}
            <Table<Device>
              name="dev"
              caption="device.list"
              rows={rows}
              rowKey={(d) => d.id}
              empty="device.none"
              sort="name"
              search={search}
              filters={filters}
              step={map ? 10 : 100}
              columns={[
                {
                  id: 'name',
                  title: 'common.name',
                  value: (d) => d.name,
                  cell: (d) => (
                    <a href={`#/devices/${d.id}`} translate={false}>
                      {d.name}
                    </a>
                  ),
                },
                { id: 'kind', wide: true, title: 'device.kind', value: (d) => d.kind, cell: (d) => word('kind', d.kind) },
                { id: 'protocol', wide: true, title: 'device.protocol', value: (d) => d.protocol, cell: (d) => word('protocol', d.protocol) },
                { id: 'feeder', wide: true, title: 'device.feeder', value: (d) => d.gridPath[0] ?? '', cell: (d) => d.gridPath[0] ?? '–' },
                { id: 'rated', wide: true, title: 'device.rated', num: true, value: (d) => d.rated_kW, cell: (d) => power(d.rated_kW) },
                { id: 'available', title: 'device.available', num: true, value: (d) => d.available_kW, cell: (d) => power(d.available_kW) },
                { id: 'enrolment', wide: true, title: 'device.enrolment', value: (d) => d.enrolment, cell: (d) => <State of={d.enrolment ?? 'notEnrolled'} /> },
                {
                  id: 'state',
                  title: 'device.delivery',
                  value: deviceState,
                  cell: (d) =>
                    d.delivery ? (
                      <a class="plain" href={`#/dispatches/${d.delivery.dispatch}`}>
                        <State of={d.delivery.state} />
                      </a>
                    ) : (
                      <State of="none" />
                    ),
                },
                { id: 'part', title: 'device.part', num: true, value: (d) => d.delivery?.allocated_kW, cell: (d) => power(d.delivery?.allocated_kW) },
                { id: 'point', title: 'device.point', hidden: true, value: (d) => d.servicePointName, cell: (d) => d.servicePointName ?? '–' },
                { id: 'remoteId', title: 'device.remoteId', hidden: true, value: (d) => d.remoteId, cell: (d) => d.remoteId ?? '–' },
                { id: 'id', title: 'common.raw', hidden: true, value: (d) => d.id, cell: (d) => d.id },
              ]}
            />
          </>
        )}
      </Await>
    </>
  )
}
