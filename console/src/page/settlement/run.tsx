import { all, get, orNone, post } from '../../api.ts'
import { energy, money, percent, power, when } from '../../format.ts'
import { useLoad } from '../../live.ts'
import { may } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { Dispatch, Program, Run, ServicePoint, Statement } from '../../types.ts'
import { Act, Await, D, download, Facts, Figure, State, Time } from '../../part/basics.tsx'
import { Period } from '../../part/period.tsx'
import { Table } from '../../part/table.tsx'

interface RunDetail extends Run {
  input: {
    terms: { energyPrice: string | null; customerShare: string; method: string; level: string; floorLevel: string; cap: string | null }
    events: { dispatch: string; status: string; committed_kW: string; days: string[]; inputHash: string }[]
  }
  result: { tax: string; unverified: string[]; events: { dispatch: string; revenue: string; energy_Wh: Record<string, number>; trace: unknown }[] }
}

export function RunPage({ id }: { id: string }) {
  const found = useLoad(
    async () => {
      const run = await get<RunDetail>(`/settlement-runs/${id}`)
      const [statements, points, program, dispatches] = await Promise.all([
        all<Statement>(`/statements?run=${run.id}`),
        orNone(all<ServicePoint>('/service-points')),
        get<Program>(`/programs/${run.program}`),
        all<Dispatch>(`/dispatches?program=${run.program}`),
      ])
      return { run, statements, names: new Map(points?.map((p) => [p.id, p.name])), program, dispatches: new Map(dispatches.map((d) => [d.id, d])) }
    },
    [id],
    { when: (m) => m.entity === id },
  )
  const me = useLoad(() => get<{ user: string }>('/me'), [])
  return (
    <Await of={found}>
      {({ run: r, statements, names, program, dispatches }) => {
        const step = (verb: 'approve' | 'issue') => async (): Promise<void> => {
          await post(`/settlement-runs/${r.id}/${verb}`, {}, { 'if-match': `"${r.version}"` })
          found.reload()
        }
        return (
          <>
            <div class="row">
              <div class="grow">
                <h1>
                  {t('settle.run', { n: r.runNumber })} · <D>{program.name}</D>
                </h1>
                <p class="row">
                  <State of={r.state} />
                  <Period from={r.from} to={r.to} in={program.timeZone} />
                  <D class="soft">{program.timeZone}</D>
                </p>
              </div>
              {r.state === 'calculated' &&
                may('admin', 'approver') &&
                (me.data?.user === r.calculatedBy ? (
                  <p class="soft">{t('settle.sameUser')}</p>
                ) : (
                  <Act label="settle.approve" kind="primary" do={step('approve')} />
                ))}
              {r.state === 'approved' && may('admin', 'settlement', 'approver') && <Act label="settle.issue" kind="primary" do={step('issue')} />}
              <button type="button" onClick={() => download(`run-${r.id}.json`, 'application/json', JSON.stringify(r, null, 2))}>
                {t('settle.inputFile')}
              </button>
            </div>
            <div class="cards">
              <Figure label="settle.revenue" value={money(r.revenue, r.currency)} />
              <Figure label="settle.pool" value={money(r.customerPool, r.currency)} />
              <Figure label="settle.aggregator" value={money(r.aggregator, r.currency)} />
            </div>
            <section class="card">
              <Facts
                of={[
                  [
                    'settle.calculatedBy',
                    <>
                      <D>{r.calculatedBy}</D> <Time at={r.createdAt} />
                    </>,
                  ],
                  ['settle.approvedBy', r.approvedBy ?? '–'],
                  ['statement.price', r.input.terms.energyPrice ? `${r.input.terms.energyPrice} ${r.currency}` : '–'],
                  ['statement.share', percent(Number(r.input.terms.customerShare))],
                  ['verify.method', `${r.input.terms.method} (${r.input.terms.level})`],
                  r.supersedes !== null && [
                    'settle.supersedes',
                    <a href={`#/settlement/${r.supersedes}`} translate={false}>
                      {r.supersedes}
                    </a>,
                  ],
                  ['settle.hashes', `${r.inputHash} → ${r.resultHash}`],
                ]}
              />
              <p class="soft">{t('settle.recompute')}</p>
              {r.result.unverified.length > 0 && <p class="problem">{t('settle.unverified', { names: r.result.unverified.join(', ') })}</p>}
            </section>
            <h2>{t('settle.events')}</h2>
            <Table
              name="ev"
              caption="settle.events"
              rows={r.input.events}
              rowKey={(e) => e.dispatch}
              empty="settle.noStatements"
              columns={[
                {
                  id: 'event',
                  title: 'statement.event',
                  value: (e) => dispatches.get(e.dispatch)?.start ?? e.dispatch,
                  cell: (e) => (
                    <a href={`#/verification/${e.dispatch}`}>
                      <Time at={dispatches.get(e.dispatch)?.start} in={program.timeZone} />
                    </a>
                  ),
                },
                { id: 'status', title: 'common.state', value: (e) => e.status, cell: (e) => <State of={e.status} /> },
                { id: 'committed', wide: true, title: 'settle.committed', num: true, value: (e) => e.committed_kW, cell: (e) => power(Number(e.committed_kW)) },
                { id: 'paid', title: 'statement.paid', num: true, value: (e) => sum(r, e.dispatch), cell: (e) => energy(sum(r, e.dispatch)) },
                {
                  id: 'revenue',
                  title: 'settle.revenue',
                  num: true,
                  value: (e) => r.result.events.find((x) => x.dispatch === e.dispatch)?.revenue,
                  cell: (e) => money(r.result.events.find((x) => x.dispatch === e.dispatch)?.revenue, r.currency),
                },
                {
                  id: 'trace',
                  title: 'settle.trace',
                  hidden: true,
                  cell: (e) => (
                    <pre translate={false} tabIndex={0}>
                      {JSON.stringify(r.result.events.find((x) => x.dispatch === e.dispatch)?.trace, null, 1)}
                    </pre>
                  ),
                },
              ]}
            />
            <h2>{t('settle.statements')}</h2>
            <Table<Statement>
              name="st"
              caption="settle.statements"
              rows={statements}
              rowKey={(s) => s.id}
              empty="settle.noStatements"
              sort="-amount"
              search={(s) => names.get(s.servicePoint) ?? s.servicePoint}
              step={50}
              columns={[
                {
                  id: 'point',
                  title: 'device.point',
                  value: (s) => names.get(s.servicePoint) ?? s.servicePoint,
                  cell: (s) => (
                    <a href={`#/statements/${s.id}`} translate={false}>
                      {names.get(s.servicePoint) ?? s.servicePoint}
                    </a>
                  ),
                },
                { id: 'delivered_kWh', title: 'statement.paid', num: true, value: (s) => s.delivered_kWh, cell: (s) => energy(s.delivered_kWh) },
                { id: 'amount', title: 'settle.amount', num: true, value: (s) => Number(s.amount), cell: (s) => money(s.amount, s.currency) },
                { id: 'delta', wide: true, title: 'settle.change', num: true, value: (s) => Number(s.delta), cell: (s) => money(s.delta, s.currency) },
              ]}
            />
          </>
        )
      }}
    </Await>
  )
}

const sum = (r: RunDetail, dispatch: string): number =>
  Object.values(r.result.events.find((x) => x.dispatch === dispatch)?.energy_Wh ?? {}).reduce((a, b) => a + b, 0) / 1000
