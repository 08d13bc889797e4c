import { useRef } from 'preact/hooks'
import { all, get, orNone } from '../../api.ts'
import { percent } from '../../format.ts'
import { useLoad } from '../../live.ts'
import { may } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { Enrolment, Program, ServicePoint } from '../../types.ts'
import { Await, Facts, State } from '../../part/basics.tsx'
import { type Kpis, KeyFigures } from './kpis.tsx'
import { limitWords } from './limits.ts'
import { OptOutCurve } from './opt-out-curve.tsx'
import { Enrolments } from './enrolments.tsx'

const none: Map<string, string> = new Map()

export function ProgramPage({ id }: { id: string }) {
  const held = useRef(false)
  const found = useLoad(
    async () => {
      const program = await get<Program>(`/programs/${encodeURIComponent(id)}`)
      const [enrolments, kpis] = await Promise.all([
        orNone(all<Enrolment>(`/enrolments?program=${program.id}`)),
        orNone(get<Kpis>(`/kpis?program=${program.id}`)),
      ])
      return { program, enrolments: enrolments ?? [], kpis }
    },
    [id],
    { every: 15_000, when: (m) => !held.current && (m.action.startsWith('enrolment') || m.action.startsWith('dispatch')), pause: 3000 },
  )
  // many, and they hardly change: the page does not wait for their names, nor ask for them again and again
  const points = useLoad(async () => new Map((await orNone(all<ServicePoint>('/service-points')))?.map((p) => [p.id, p.name])), [], {
    when: (m) => !held.current && m.action.startsWith('servicePoint'),
    pause: 5000,
  })
  return (
    <Await of={found}>
      {({ program: p, enrolments, kpis: k }) => (
        <>
          <div class="row">
            <h1 class="grow" translate={false}>
              {p.name}
            </h1>
            <State of={p.state} />
            {p.state === 'open' && may('admin', 'operator', 'dispatcher') && (
              <a class="button primary" href={`#/dispatches/new?program=${p.id}`}>
                {t('dispatch.create')}
              </a>
            )}
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
          {k && <KeyFigures of={k} currency={p.currency} />}
          {k && <OptOutCurve program={p.id} zone={p.timeZone} />}
          <Enrolments program={p} enrolments={enrolments} names={points.data ?? none} reload={found.reload} hold={(on) => (held.current = on)} />
        </>
      )}
    </Await>
  )
}
