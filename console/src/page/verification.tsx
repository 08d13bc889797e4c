import { useMemo } from 'preact/hooks'
import { all, get, orNone } from '../api.ts'
import { energy, percent } from '../format.ts'
import { useLoad } from '../live.ts'
import { usePlace } from '../route.ts'
import { gridOnly } from '../session.ts'
import { t } from '../text/index.ts'
import type { Dispatch, Performance, Program, Progress, ServicePoint } from '../types.ts'
import { Age, Await, D, Figure, State } from '../part/basics.tsx'
import { Chart } from '../part/chart.tsx'
import { PrintButton } from '../part/print.tsx'
import { powerLines } from '../part/power-lines.ts'
import { directionOf, orderWords, window } from '../part/dispatch-words.tsx'
import { Days } from './verification/days.tsx'
import { Method } from './verification/method.tsx'
import { PointChart } from './verification/point-chart.tsx'
import { Points } from './verification/points.tsx'

export interface Verified {
  dispatch: Dispatch
  p: Performance
  program: Program
  progress: Progress | undefined
  /** Service points by id, as people call them. */
  names: Map<string, string>
  reload: () => void
}

/** Baseline, adjusted baseline and measured power of one event, and every day and reading behind them (UX-061, UX-062). */
export function VerificationPage({ id }: { id: string }) {
  const found = useLoad(
    async () => {
      const dispatch = await get<Dispatch>(`/dispatches/${id}`)
      const [p, program, points] = await Promise.all([
        get<Performance>(`/dispatches/${id}/performance`),
        get<Program>(`/programs/${dispatch.program}`),
        orNone(all<ServicePoint>('/service-points')),
      ])
      const progress = p.status === 'PENDING' ? undefined : await orNone(get<Progress>(`/dispatches/${id}/progress`))
      return { dispatch, p, program, progress, names: new Map(points?.map((x) => [x.id, x.name])) }
    },
    [id],
    { when: (m) => m.entity === id },
  )
  return (
    <Await of={found}>
      {(f) => (
        <>
          <Head {...f} />
          {f.p.status === 'PENDING' ? (
            <p class="card empty">
              {t('verify.provisional')} <a href={`#/dispatches/${id}`}>{t('dispatch.one')}</a>
            </p>
          ) : (
            <Found {...f} reload={found.reload} />
          )}
        </>
      )}
    </Await>
  )
}

const Head = ({ dispatch: d, p, program }: Pick<Verified, 'dispatch' | 'p' | 'program'>) => (
  <>
    <div class="row">
      <h1 class="grow">{t('verify.title', { order: orderWords(d.power_kW, directionOf(d, program.direction)) })}</h1>
      <PrintButton />
    </div>
    <p class="row">
      <State of={d.state} />
      <a href={`#/dispatches/${d.id}`} translate={false}>
        {window(d.start, d.end, d.timeZone)}
      </a>
      <D class="soft">{d.timeZone}</D>
      <D>{d.programName}</D>
      {p.status !== 'PENDING' && <Age at={p.computedAt} label="verify.age" />}
    </p>
  </>
)

function Found(v: Verified) {
  const { dispatch: d, p, program, progress } = v,
    adjusted = p.baselineTrace?.adjustment !== null && p.baselineTrace?.adjustment !== undefined,
    band = { from: Date.parse(d.start) / 1000, to: Date.parse(d.end) / 1000 },
    chosen = usePlace().search.get('point')
  const drawn = useMemo(() => (progress ? powerLines(progress, p, { unadjusted: true }) : undefined), [p, progress])
  return (
    <>
      {p.status !== 'OK' && <p class="problem">{t('verify.unverified', { why: p.reasons.join('; ') })}</p>}
      <div class="cards">
        <Figure label="dispatch.baseline" value={energy(p.baseline_kWh)} />
        <Figure label="verify.metered" value={energy(p.metered_kWh)} />
        <Figure label="dispatch.delivered" value={energy(p.delivered_kWh)}>
          <p class="soft">{t('dispatch.ofOrder', { share: percent(p.performance) })}</p>
        </Figure>
        <Figure label="dispatch.ordered" value={energy(p.ordered_kWh)} />
      </div>
      {drawn && (
        <section class="card">
          <Chart label="verify.chart" {...drawn} zone={d.timeZone} band={band} />
          <p class="soft">{t('dispatch.eventBand')}</p>
        </section>
      )}
      <p class="card explain">
        {t(directionOf(d, program.direction) === 'up' ? 'verify.formulaUp' : 'verify.formula', {
          n: p.days.length,
          adjust: t(adjusted ? 'verify.adjustWords' : 'verify.plainWords'),
        })}
      </p>
      <div class="columns">
        <Method {...v} />
        <Days of={p.baselineTrace} />
      </div>
      <h2>{t('verify.points')}</h2>
      {gridOnly() ? (
        <p class="soft">{t('access.grid')}</p>
      ) : (
        <>
          {chosen && <PointChart key={chosen} {...v} point={chosen} band={band} />}
          <Points {...v} chosen={chosen} />
        </>
      )}
    </>
  )
}
