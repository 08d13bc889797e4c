import { useMemo } from 'preact/hooks'
import { serverNow } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { Dispatch, Performance, Progress } from '../../types.ts'
import { Chart } from '../../part/chart.tsx'
import { powerLines } from '../../part/power-lines.ts'
import { whenTime } from './explanation.tsx'

export function PowerChart({ d, p, progress }: { d: Dispatch; p: Performance; progress: Progress | undefined }) {
  const made = useMemo(() => (progress ? powerLines(progress, p, { target: true }) : undefined), [progress, p])
  if (!progress || !made) return <p class="card empty" role="status" data-loading>{t('common.loading')}</p>
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
