import { count, energy, listed, money, percent, power } from '../../format.ts'
import { gridOnly, serverNow } from '../../session.ts'
import { t, type Key } from '../../text/index.ts'
import { type Progress, protocols } from '../../types.ts'
import { type Everything, lostStates, partOfEach } from './everything.ts'

/** A home in the United States uses about 1.2 kW on average over a year (10,500 kWh): a measure that everybody has at home. */
const home_kW = 1.2

/** What happens here, for someone who never heard of the three protocols (issue G). */
export function Explanation({ e, progress, direction }: { e: Everything; progress: Progress | undefined; direction: 'down' | 'up' }) {
  const { dispatch: d, deliveries } = e,
    kW = Math.abs(d.power_kW),
    homes = Math.round(kW / home_kW)
  const asked = t(`explain.ask.${direction}`, { power: power(kW), start: whenTime(d.start, d.timeZone), end: whenTime(d.end, d.timeZone) }),
    size = homes >= 10 ? t('explain.homes', { n: count(homes >= 100 ? Math.round(homes / 10) * 10 : homes) }) : ''
  const said: [Key, string][] = [['explain.order', `${asked} ${size}`]]
  if (deliveries.length > 0) said.push(['explain.devices', shared(e)])
  if (d.state === 'cancelled') said.push(['explain.end', t('explain.cancelled')])
  else if (deliveries.length > 0) said.push(['explain.exceptions', missing(e)])
  said.push(['explain.result', result(e, progress)], ['explain.picture', t('explain.chart')])
  return (
    <dl class="card explain">
      {said.filter(([, text]) => text !== '').map(([label, text]) => (
        <div key={label}>
          <dt>{t(label)}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  )
}

function shared({ dispatch: d, deliveries: every }: Everything): string {
  const deliveries = partOfEach(every)
  const parts = protocols.flatMap((x) => {
    const mine = deliveries.filter((y) => y.protocol === x)
    return mine.length === 0 ? [] : [t(`explain.${x}`, { n: count(mine.length), power: power(d.allocation.byProtocol[x]) })]
  })
  return t('explain.split', { n: count(deliveries.length), parts: listed(parts) })
}

function missing({ deliveries }: Everything): string {
  const lost = partOfEach(deliveries).filter((x) => lostStates.has(x.state)),
    words = [...new Set(lost.map((x) => x.state))].map((s) => {
      const names = lost.filter((x) => x.state === s).map((x) => x.resourceName),
        what = t(`lost.${s}` as Key, { n: count(names.length) })
      if (gridOnly()) return what
      return t('lost.who', {
        what,
        names: listed([...names.slice(0, 3), ...(names.length > 3 ? [t('lost.more', { n: count(names.length - 3) })] : [])]),
      })
    })
  return lost.length > 0 ? t('explain.trouble', { words: listed(words) }) : t('explain.allGood')
}

function result({ dispatch: d, performance: p, run }: Everything, progress: Progress | undefined): string {
  const paid = run ? ` ${t('explain.paid', { amount: money(run.revenue, run.currency) })}` : ''
  if (p.delivered_kWh !== undefined && p.delivered_kWh !== null)
    return t('explain.final', { actual: energy(p.metered_kWh), baseline: energy(p.baseline_kWh), delivered: energy(p.delivered_kWh), share: percent(p.performance) }) + paid
  if (progress && progress.delivered_kWh !== null && progress.asked_kWh > 0) return t('explain.soFar', { delivered: energy(progress.delivered_kWh), asked: energy(progress.asked_kWh) })
  if (d.state === 'cancelled') return ''
  return Date.parse(d.start) > serverNow() ? t('explain.waiting', { when: whenTime(d.start, d.timeZone) }) : t('explain.soon')
}

export const whenTime = (iso: string, zone: string): string =>
  new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(
    new Date(iso),
  )
