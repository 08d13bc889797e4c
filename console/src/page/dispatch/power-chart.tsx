import { useMemo } from 'preact/hooks'
import { serverNow } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { Dispatch, Performance, Progress } from '../../types.ts'
import { Chart, type Line } from '../../part/chart.tsx'
import { whenTime } from './explanation.tsx'

export function PowerChart({ d, p, progress }: { d: Dispatch; p: Performance; progress: Progress | undefined }) {
  const made = useMemo(() => {
    if (!progress) return undefined
    // what was verified is shown as it was verified
    const final = new Map((p.intervals ?? []).map((i) => [Date.parse(i.start), i])),
      delta = (progress.direction === 'down' ? -1 : 1) * progress.ordered_kW
    const rows = progress.intervals.map((i) => {
      const f = i.phase === 'event' ? final.get(Date.parse(i.start)) : undefined,
        baseline = f?.baseline_kW ?? i.baseline_kW
      return { start: Date.parse(i.start) / 1000, baseline, actual: f?.actual_kW ?? i.actual_kW, target: baseline === null ? null : baseline + delta }
    })
    const lines: Line[] = [
      { key: 'dispatch.baseline', values: rows.map((r) => r.baseline), colour: '--c-baseline', dash: [7, 5] },
      { key: 'dispatch.target', values: rows.map((r) => r.target), colour: '--c-target', width: 1.5 },
      { key: 'dispatch.actual', values: rows.map((r) => r.actual), colour: '--c-actual', width: 3 },
    ]
    return { times: rows.map((r) => r.start), lines, end: Date.parse(progress.intervals.at(-1)?.end ?? '') / 1000 }
  }, [progress, p])
  if (!progress || !made) return <p class="card empty">{t('common.loading')}</p>
  const lastHeard = progress.intervals.filter((i) => i.actual_kW !== null).at(-1)?.end
  return (
    <section class="card picture">
      {progress.status !== 'OK' && <p class="problem">{t('dispatch.noBaseline', { why: progress.reasons.join('; ') })}</p>}
      <Chart
        label="dispatch.chart"
        {...made}
        zone={d.timeZone}
        band={{ from: Date.parse(d.start) / 1000, to: Date.parse(d.end) / 1000 }}
        now={serverNow() / 1000}
      />
      <p class="soft row">
        <span>{t('dispatch.eventBand')}</span>
        {progress.provisional && progress.state !== 'cancelled' && <span>{t('dispatch.provisional')}</span>}
        {lastHeard && <span>{t('dispatch.measuredAt', { time: whenTime(lastHeard, d.timeZone) })}</span>}
        <a href={`#/verification/${d.id}`}>{t('dispatch.seeVerification')}</a>
      </p>
    </section>
  )
}
