import { all } from '../api.ts'
import { power } from '../format.ts'
import { useLoad } from '../live.ts'
import { t } from '../text/index.ts'
import type { Dispatch } from '../types.ts'
import { Await, State, Time } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'

export function Verification() {
  const list = useLoad(() => all<Dispatch>('/dispatches'), [], { every: 15_000, when: (m) => m.action.startsWith('dispatch') })
  return (
    <>
      <div class="row">
        <h1 class="grow">{t('verify.list')}</h1>
        <a class="button" href="#/baselines">
          {t('verify.compare')}
        </a>
      </div>
      <Await of={list}>
        {(rows) => (
          <Table<Dispatch>
            name="v"
            caption="verify.list"
            rows={rows.filter((d) => ['completed', 'verified', 'settled', 'active'].includes(d.state))}
            rowKey={(d) => d.id}
            empty="verify.none"
            sort="-start"
            search={(d) => `${d.programName} ${d.reason ?? ''}`}
            filters={[{ id: 'state', title: 'common.state', value: (d) => d.state }]}
            columns={[
              {
                id: 'start',
                title: 'new.start',
                value: (d) => d.start,
                cell: (d) => (
                  <a href={`#/verification/${d.id}`}>
                    <Time at={d.start} in={d.timeZone} />
                  </a>
                ),
              },
              { id: 'program', wide: true, title: 'new.program', value: (d) => d.programName, cell: (d) => d.programName },
              { id: 'power', title: 'dispatch.ordered', num: true, value: (d) => d.power_kW, cell: (d) => power(d.power_kW) },
              { id: 'state', title: 'common.state', value: (d) => d.state, cell: (d) => <State of={d.state} /> },
            ]}
          />
        )}
      </Await>
    </>
  )
}
