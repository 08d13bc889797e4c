import type { DayLoad } from '#core/baseline/eligibility.js'
import type { DayRule, LowUsage, Pick } from '#core/baseline/method.js'

const meanOfMeans = (days: readonly DayLoad[]): number => days.reduce((sum, d) => sum + d.mean, 0) / days.length

/** CORE-126 `seed`: a candidate below a share of the highest single slot of any candidate's event window is out. */
function seedScreen(eligible: readonly DayLoad[], y: number, share: number) {
  let peak = -Infinity
  for (const d of eligible) for (const kW of d.event) if (kW > peak) peak = kW
  const taken: DayLoad[] = [], low: DayLoad[] = []
  for (const d of eligible) {
    if (taken.length === y) break
    ;(d.mean < share * peak ? low : taken).push(d)
  }
  return { taken, low }
}

/** CORE-126 `mean`: a picked day below a share of the mean of the picked days is replaced by the next older, until stable. */
function meanScreen(eligible: readonly DayLoad[], y: number, share: number) {
  const low = new Set<DayLoad>()
  for (;;) {
    const taken = eligible.filter((d) => !low.has(d)).slice(0, y)
    const bound = share * meanOfMeans(taken)
    const thin = taken.filter((d) => d.mean < bound)
    if (thin.length === 0) return { taken, low: [...low] }
    thin.forEach((d) => low.add(d))
  }
}

/** CORE-125 first half: the newest Y eligible days that pass the low-usage screen. */
export function newest(eligible: readonly DayLoad[], rule: DayRule, screen: LowUsage | undefined): { taken: DayLoad[]; low: DayLoad[] } {
  if (!screen || rule.exclusions === false) return { taken: eligible.slice(0, rule.y), low: [] }
  return screen.kind === 'seed' ? seedScreen(eligible, rule.y, screen.share) : meanScreen(eligible, rule.y, screen.share)
}

/** Highest event-window load first; equal rank: the newer day first (CORE-125). */
export const byLoad = (a: DayLoad, b: DayLoad): number => b.mean - a.mean || b.day - a.day

/** CORE-125 second half: rank by mean load over the event window and take. */
export function pickDays(taken: readonly DayLoad[], pick: Pick, y: number): DayLoad[] {
  if (pick.kind === 'all') return [...taken]
  const ranked = [...taken].sort(byLoad)
  if (pick.kind === 'high') return ranked.slice(0, pick.x)
  const each = (y - pick.x) / 2
  return taken.length >= 4 ? ranked.slice(each, ranked.length - each) : ranked
}
