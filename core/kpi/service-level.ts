/** CORE-197: the chain from a reading to money; each link has what counts as well served and how much of it is promised. */
export type Link = 'ingest' | 'forecast' | 'bid' | 'dispatch' | 'settle'

export interface ServiceLevel {
  readonly link: Link
  /** Share that must be well served; the rest is the error budget. */
  readonly objective: number
  readonly promise: string
}

/** The promises. Figures are our own choice (P): the standards are silent. */
export const serviceLevels: readonly ServiceLevel[] = [
  { link: 'ingest', objective: 0.99, promise: 'an interval of a metered point is stored within 30 min of its end' },
  { link: 'forecast', objective: 0.99, promise: 'availability of an interval is known before it begins' },
  { link: 'bid', objective: 0.95, promise: 'a flex request is offered before it expires' },
  { link: 'dispatch', objective: 0.995, promise: 'an order reaches its device within 60 s, or before it starts if that is later' },
  { link: 'settle', objective: 0.95, promise: 'a dispatch is verified within 48 h of its end' },
]

/** What happened in a few minutes of one link: `good` of `total` were served as promised. */
export interface Served {
  readonly link: Link
  /** Epoch seconds at which it was decided whether it was good. */
  readonly at: number
  readonly good: number
  readonly total: number
}

/** Two windows each, so an alert neither cries for one bad minute nor stays after the trouble is over: the usual pairs for a budget of 30 days. */
export const burnRules = [
  { severity: 'page', long_s: 3600, short_s: 300, rate: 14.4 },
  { severity: 'page', long_s: 21_600, short_s: 1800, rate: 6 },
  { severity: 'ticket', long_s: 259_200, short_s: 21_600, rate: 1 },
] as const

/** How far back the longest window looks. */
export const longest_s = 259_200

export interface Burn {
  readonly window_s: number
  readonly good: number
  readonly total: number
  /** Share well served; null when nothing was asked (CORE-196). */
  readonly level: number | null
  /** 1 = the budget is used up exactly at the end of its period; null when nothing was asked. */
  readonly burnRate: number | null
}

export interface LinkState extends ServiceLevel {
  readonly windows: readonly Burn[]
  readonly alerts: readonly { readonly severity: 'page' | 'ticket'; readonly rate: number; readonly burnRate: number; readonly window_s: number }[]
}

function burn(served: readonly Served[], objective: number, window_s: number, now: number): Burn {
  let good = 0, total = 0
  for (const s of served) {
    if (s.at <= now - window_s || s.at > now) continue
    good += s.good
    total += s.total
  }
  const level = total === 0 ? null : good / total
  return { window_s, good, total, level, burnRate: level === null ? null : (1 - level) / (1 - objective) }
}

/** Every link with its levels and the alerts that are due: both windows of a pair burn at its rate or faster. */
export function judge(served: readonly Served[], now: number, levels: readonly ServiceLevel[] = serviceLevels): LinkState[] {
  const spans = [...new Set(burnRules.flatMap((r) => [r.short_s, r.long_s]))].sort((a, b) => a - b)
  return levels.map((level) => {
    const own = served.filter((s) => s.link === level.link), windows = spans.map((s) => burn(own, level.objective, s, now))
    const rate = (window_s: number): number => windows.find((w) => w.window_s === window_s)?.burnRate ?? 0
    // a rate a hair under its bound is float dust: 0.856 served of 0.99 is exactly 14.4
    const due = burnRules.filter((r) => Math.min(rate(r.long_s), rate(r.short_s)) >= r.rate - 1e-9)
    const worst = due.filter((r, i) => due.findIndex((o) => o.severity === r.severity) === i)
    return { ...level, windows, alerts: worst.map((r) => ({ severity: r.severity, rate: r.rate, burnRate: rate(r.long_s), window_s: r.long_s })) }
  })
}
