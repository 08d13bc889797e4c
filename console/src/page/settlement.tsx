import { all, orNone } from '../api.ts'
import { money, when } from '../format.ts'
import { useLoad } from '../live.ts'
import { may } from '../session.ts'
import { type Key, t } from '../text/index.ts'
import type { Program, Run } from '../types.ts'
import { Await, D, State, Time } from '../part/basics.tsx'
import { Period } from '../part/period.tsx'
import { Table } from '../part/table.tsx'
import { NewRun } from './settlement/new-run.tsx'
import type { Dispute } from './settlement/dispute.tsx'

const runTable = (programs: Map<string, Program>) => [
  {
    id: 'period',
    title: 'settle.period' as Key,
    value: (r: Run) => r.from,
    cell: (r: Run) => (
      <a href={`#/settlement/${r.id}`}>
        <Period from={r.from} to={r.to} in={programs.get(r.program)?.timeZone} />
      </a>
    ),
  },
  {
    id: 'program',
    wide: true,
    title: 'new.program' as Key,
    value: (r: Run) => programs.get(r.program)?.name ?? r.program,
    cell: (r: Run) => <D>{programs.get(r.program)?.name ?? r.program}</D>,
  },
  { id: 'run', wide: true, title: 'settle.number' as Key, num: true, value: (r: Run) => r.runNumber, cell: (r: Run) => <D>{r.runNumber}</D> },
  { id: 'state', title: 'common.state' as Key, value: (r: Run) => r.state, cell: (r: Run) => <State of={r.state} /> },
  { id: 'revenue', title: 'settle.revenue' as Key, num: true, value: (r: Run) => r.revenue, cell: (r: Run) => <D>{money(r.revenue, r.currency)}</D> },
  {
    id: 'pool',
    wide: true,
    title: 'settle.pool' as Key,
    num: true,
    value: (r: Run) => r.customerPool,
    cell: (r: Run) => <D>{money(r.customerPool, r.currency)}</D>,
  },
]

export function Settlement() {
  const found = useLoad(
    async () => {
      const [runs, programs, disputes] = await Promise.all([
        all<Run>('/settlement-runs'),
        all<Program>('/programs'),
        orNone(all<Dispute>('/disputes')),
      ])
      return { runs, programs, disputes: disputes ?? [] }
    },
    [],
    { when: (m) => m.action.startsWith('settlementRun') || m.action.startsWith('dispute') },
  )
  return (
    <>
      <h1>{t('settle.list')}</h1>
      <Await of={found}>
        {({ runs, programs, disputes }) => (
          <>
            {may('admin', 'settlement') && programs.length > 0 && <NewRun programs={programs} />}
            <h2>{t('settle.runs')}</h2>
            <Table<Run>
              name="run"
              caption="settle.runs"
              rows={runs}
              rowKey={(r) => r.id}
              empty="settle.none"
              sort="-period"
              filters={[{ id: 'state', title: 'common.state', value: (r) => r.state }]}
              columns={runTable(new Map(programs.map((p) => [p.id, p])))}
            />
            <h2>{t('dispute.list')}</h2>
            <Table<Dispute>
              name="dis"
              caption="dispute.list"
              rows={disputes}
              rowKey={(d) => d.id}
              empty="dispute.none"
              sort="-created"
              filters={[{ id: 'state', title: 'common.state', value: (d) => d.state }]}
              columns={[
                {
                  id: 'created',
                  wide: true,
                  title: 'common.at',
                  value: (d) => d.createdAt,
                  cell: (d) => (
                    <a href={`#/disputes/${d.id}`}>
                      <Time at={d.createdAt} />
                    </a>
                  ),
                },
                { id: 'state', title: 'common.state', value: (d) => d.state, cell: (d) => <State of={d.state} /> },
                { id: 'reason', title: 'common.reason', value: (d) => d.reason, cell: (d) => d.reason },
                { id: 'answerBy', wide: true, title: 'dispute.answerBy', value: (d) => d.answerBy, cell: (d) => <Time at={d.answerBy} style="day" /> },
              ]}
            />
          </>
        )}
      </Await>
    </>
  )
}
