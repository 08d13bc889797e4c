import { all } from '../api.ts'
import { useLoad } from '../live.ts'
import { may } from '../session.ts'
import { t } from '../text/index.ts'
import type { Program } from '../types.ts'
import { Await, State } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'

export function Programs() {
  const list = useLoad(() => all<Program>('/programs'), [], { when: (m) => m.action.startsWith('program') })
  return (
    <>
      <div class="row">
        <h1 class="grow">{t('program.list')}</h1>
        {may('admin', 'operator') && (
          <a class="button primary" href="#/programs/new">
            {t('program.create')}
          </a>
        )}
      </div>
      <Await of={list}>
        {(rows) => (
          <Table<Program>
            name="prog"
            caption="program.list"
            rows={rows}
            rowKey={(p) => p.id}
            empty="program.none"
            sort="name"
            search={(p) => p.name}
            columns={[
              {
                id: 'name',
                title: 'common.name',
                value: (p) => p.name,
                cell: (p) => (
                  <a href={`#/programs/${p.id}`} translate={false}>
                    {p.name}
                  </a>
                ),
              },
              { id: 'direction', title: 'program.direction', value: (p) => p.direction, cell: (p) => t(`program.${p.direction}`) },
              { id: 'zone', wide: true, title: 'program.zone', value: (p) => p.timeZone, cell: (p) => p.timeZone },
              { id: 'method', wide: true, title: 'program.method', value: (p) => p.baseline.method, cell: (p) => p.baseline.method },
              {
                id: 'price',
                wide: true,
                title: 'program.energyPrice',
                num: true,
                value: (p) => p.energyPrice,
                cell: (p) => (p.energyPrice ? `${p.energyPrice} ${p.currency}` : '–'),
              },
              { id: 'state', title: 'common.state', value: (p) => p.state, cell: (p) => <State of={p.state} /> },
            ]}
          />
        )}
      </Await>
    </>
  )
}
