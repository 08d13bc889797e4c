import { count, energy, listed, money, percent, power } from '../../format.ts'
import { serverNow } from '../../session.ts'
import { t, word } from '../../text/index.ts'
import { type Progress, protocols } from '../../types.ts'
import { type Everything, lostStates } from './everything.ts'

/** What happens here, for someone who never heard of the three protocols (issue G). */
export function Explanation({ e, progress, direction }: { e: Everything; progress: Progress | undefined; direction: 'down' | 'up' }) {
  const { dispatch: d, performance: p, deliveries, run } = e
  const parts = protocols.flatMap((x) => {
    const mine = deliveries.filter((y) => y.protocol === x)
    return mine.length === 0 ? [] : [t(`explain.${x}`, { n: count(mine.length), power: power(d.allocation.byProtocol[x]) })]
  })
  const lost = deliveries.filter((x) => lostStates.has(x.state) && d.state !== 'cancelled'),
    words = [...new Set(lost.map((x) => x.state))].map((s) => `${lost.filter((x) => x.state === s).length} ${word('state', s)}`)
  const upcoming = Date.parse(d.start) > serverNow()
  return (
    <p class="card explain">
      {t(`explain.ask.${direction}`, { power: power(Math.abs(d.power_kW)), start: whenTime(d.start, d.timeZone), end: whenTime(d.end, d.timeZone) })}{' '}
      {parts.length > 0 && t('explain.split', { n: count(deliveries.length), parts: listed(parts) })}{' '}
      {d.state === 'cancelled'
        ? t('explain.cancelled')
        : deliveries.length > 0 &&
          (lost.length > 0 ? t('explain.trouble', { n: count(lost.length), words: listed(words) }) : t('explain.allGood'))}{' '}
      {p.delivered_kWh !== undefined && p.delivered_kWh !== null
        ? t('explain.final', {
            actual: energy(p.metered_kWh),
            baseline: energy(p.baseline_kWh),
            delivered: energy(p.delivered_kWh),
            share: percent(p.performance),
          })
        : progress && progress.delivered_kWh !== null
          ? t('explain.soFar', { delivered: energy(progress.delivered_kWh), asked: energy(progress.asked_kWh) })
          : upcoming && d.state !== 'cancelled'
            ? t('explain.waiting', { when: whenTime(d.start, d.timeZone) })
            : ''}{' '}
      {run && t('explain.paid', { amount: money(run.revenue, run.currency) })} {t('explain.chart')}
    </p>
  )
}

export const whenTime = (iso: string, zone: string): string =>
  new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(
    new Date(iso),
  )
