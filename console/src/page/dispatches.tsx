import { all } from '../api.ts'
import { power } from '../format.ts'
import { useLoad } from '../live.ts'
import { may } from '../session.ts'
import { t } from '../text/index.ts'
import type { Dispatch } from '../types.ts'
import { Await, D, State, Time } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'

export function Dispatches() {
  const list = useLoad((partly: (d: Dispatch[]) => void) => all<Dispatch>('/dispatches', (d) => partly([...d])), [], {
    every: 10_000,
    when: (m) => m.action.startsWith('dispatch'),
  })
  return (
    <>
      <div class="row">
        <h1 class="grow">{t('dispatch.list')}</h1>
        {may('admin', 'operator', 'dispatcher') && (
          <a class="button primary" href="#/dispatches/new">
            {t('dispatch.create')}
          </a>
        )}
      </div>
      <Await of={list}>
        {(rows) => (
          <Table<Dispatch>
            name="d"
            caption="dispatch.list"
            rows={rows}
            rowKey={(d) => d.id}
            empty="dispatch.none"
            sort="-start"
            search={(d) => `${d.programName} ${d.reason ?? ''} ${d.createdBy} ${d.id}`}
            filters={[
              { id: 'state', title: 'common.state', value: (d) => d.state },
              { id: 'program', title: 'new.program', value: (d) => d.programName },
            ]}
            columns={[
              {
                id: 'start',
                title: 'new.start',
                value: (d) => d.start,
                cell: (d) => (
                  <a href={`#/dispatches/${d.id}`}>
                    <Time at={d.start} in={d.timeZone} />
                  </a>
                ),
              },
              {
                id: 'end',
                wide: true,
                title: 'new.end',
                value: (d) => d.end,
                cell: (d) => (
                  <>
                    <Time at={d.end} in={d.timeZone} style="time" /> <D class="soft">{d.timeZone}</D>
                  </>
                ),
              },
              { id: 'program', wide: true, title: 'new.program', value: (d) => d.programName, cell: (d) => d.programName },
              { id: 'power_kW', title: 'dispatch.ordered', num: true, value: (d) => d.power_kW, cell: (d) => power(d.power_kW) },
              { id: 'allocated_kW', wide: true, title: 'dispatch.placed', num: true, value: (d) => d.allocated_kW, cell: (d) => power(d.allocated_kW) },
              { id: 'shortfall_kW', wide: true, title: 'dispatch.shortfall', num: true, value: (d) => d.shortfall_kW, cell: (d) => power(d.shortfall_kW) },
              { id: 'state', title: 'common.state', value: (d) => d.state, cell: (d) => <State of={d.state} /> },
              { id: 'createdBy', wide: true, title: 'common.by', value: (d) => d.createdBy, cell: (d) => d.createdBy },
              { id: 'reason', wide: true, title: 'common.reason', value: (d) => d.reason, cell: (d) => d.reason ?? '' },
              { id: 'id', title: 'common.raw', hidden: true, value: (d) => d.id, cell: (d) => d.id },
            ]}
          />
        )}
      </Await>
    </>
  )
}
