import { all, get, orNone } from '../../api.ts'
import { count, percent, span } from '../../format.ts'
import { useLoad } from '../../live.ts'
import { serverNow } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { Dispatch, Enrolment, Program, ServicePoint } from '../../types.ts'
import { Age, Await, Facts, Figure, State } from '../../part/basics.tsx'
import { limitWords } from './limits.ts'
import { OptOutCurve } from './opt-out-curve.tsx'
import { Enrolments } from './enrolments.tsx'

interface Kpis {
  participationRate: number | null
  optOutRate: number | null
  commsLossRate: number | null
  deliveryRatio: number | null
  costPerMW: string | null
  events: number
  enrolled: number
  active: number
  reliability: number | null
  latency_ms: { p95: number | null }
}

export function ProgramPage({ id }: { id: string }) {
  const found = useLoad(
    async () => {
      const program = await get<Program>(`/programs/${encodeURIComponent(id)}`)
      const [enrolments, points, kpis, dispatches] = await Promise.all([
        orNone(all<Enrolment>(`/enrolments?program=${program.id}`)),
        orNone(all<ServicePoint>('/service-points')),
        orNone(get<Kpis>(`/kpis?program=${program.id}`)),
        all<Dispatch>(`/dispatches?program=${program.id}`),
      ])
      return { program, enrolments: enrolments ?? [], names: new Map(points?.map((p) => [p.id, p.name])), kpis, dispatches, at: new Date(serverNow()).toISOString() }
    },
    [id],
    { every: 15_000, when: (m) => m.action.startsWith('enrolment') || m.action.startsWith('dispatch'), pause: 3000 },
  )
  return (
    <Await of={found}>
      {({ program: p, enrolments, names, kpis: k, dispatches, at }) => (
        <>
          <div class="row">
            <h1 class="grow" translate={false}>
              {p.name}
            </h1>
            <State of={p.state} />
            <a class="button primary" href="#/dispatches/new">
              {t('dispatch.create')}
            </a>
          </div>
          <section class="card">
            <Facts
              of={[
                ['program.direction', <span>{t(`program.${p.direction}`)}</span>],
                ['program.zone', p.timeZone],
                ['program.interval', String(p.intervalMinutes)],
                [
                  'program.method',
                  <a href={`#/baselines?program=${p.id}`} translate={false}>
                    {p.baseline.method}
                  </a>,
                ],
                ['program.level', <span>{t(p.baseline.level === 'point' ? 'program.level.point' : 'program.level.portfolio')}</span>],
                ['program.energyPrice', p.energyPrice ? `${p.energyPrice} ${p.currency}` : '–'],
                ['statement.share', percent(Number(p.customerShare))],
                ['program.version', String(p.programVersion)],
                [
                  'program.limits',
                  Object.keys(p.limits).length === 0 ? (
                    <span>{t('program.noLimits')}</span>
                  ) : (
                    Object.entries(p.limits)
                      .map(([name, value]) => limitWords(name, value)).join(' · ')
                  ),
                ],
              ]}
            />
          </section>
          {k && (
            <>
              <h2>
                {t('kpi.title')} <Age at={at} />
              </h2>
              <div class="cards">
                <Figure label="kpi.events" value={count(k.events)} />
                <Figure label="kpi.active" value={count(k.active)} />
                <Figure label="kpi.participation" value={percent(k.participationRate)} />
                <Figure label="kpi.optOut" value={percent(k.optOutRate)} />
                <Figure label="kpi.comms" value={percent(k.commsLossRate)} />
                <Figure label="kpi.ratio" value={percent(k.deliveryRatio)} />
                <Figure label="kpi.reliability" value={percent(k.reliability)} />
                <Figure label="kpi.latency" value={k.latency_ms.p95 === null ? '–' : span(k.latency_ms.p95)} />
              </div>
            </>
          )}
          <OptOutCurve dispatches={dispatches} zone={p.timeZone} />
          <Enrolments program={p} enrolments={enrolments} names={names} reload={found.reload} />
        </>
      )}
    </Await>
  )
}
