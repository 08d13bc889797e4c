import { returnFactor, releaseWaves, snapback, stagger } from '#core/dispatch/stagger.js'
import type { Caps } from '#core/dispatch/caps.js'
import type { OrderInterval } from '#core/port/dispatch-channel.js'
import type { Interval } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'

/** What a program says about the load that comes back (CORE-080 … 082). */
export interface ReboundRules {
  readonly recoveryMinutes?: number
  readonly waveMinutes?: number
  /** Rebound that one wave may bring; without it the tightest passed cap decides. */
  readonly limitPerWave_kW?: number
  /** Return factor by kind of resource, instead of the defaults. */
  readonly factors?: Readonly<Record<string, number>>
}

export interface ReboundMember {
  readonly id: string
  readonly kind: string
  readonly path: readonly string[]
  readonly delta_W: W
  readonly expected_W: W | null
}

export interface Rebound {
  readonly energy_Wh: number
  readonly power_W: W
  /** Load of those asked, before the event and in the recovery time after it (CORE-081). */
  readonly before_W: W
  readonly after_W: W
  readonly passes: readonly { readonly node: string; readonly rebound_W: W; readonly limit_W: W }[]
  /** Seconds after the end at which each resource is let go; all 0 when nothing is staggered. */
  readonly releaseAfter_s: ReadonlyMap<string, number>
  readonly waves: number
}

/** CORE-080 by kind: thermal 0.8, EV 1.0, lighting 0. Interpretation: a battery recharges when it is told to and solar has nothing to return: 0. */
export function factorOf(kind: string, factors: ReboundRules['factors'] = {}): number {
  if (factors[kind] !== undefined) return factors[kind]
  if (/^(ev|evse|charger|vehicle)/i.test(kind)) return returnFactor.ev
  return /heat|thermo|hvac|water|cool|fridge|building|air/i.test(kind) ? returnFactor.thermal : 0
}

/**
 * CORE-080 … 082: what comes back after a reduction, whether it passes a cap, and who is let go when. Interpretation: CORE-081 also
 * names the pre-event peak; holding devices longer is a longer call, so without a rule of the program only a cap causes it, and a
 * rebound above the load before is shown.
 */
export function rebound(members: readonly ReboundMember[], window: Interval, caps_W: Caps, rules: ReboundRules | undefined, eventNumber: number): Rebound {
  const hours = (window.end - window.start) / 3600, recovery = rules?.recoveryMinutes ?? 60, waveMinutes = rules?.waveMinutes ?? 15
  const back = members.map((m) => (m.delta_W < 0 ? snapback({ curtailed_Wh: -m.delta_W * hours, kind: 'thermal', recoveryMinutes: recovery, factor: factorOf(m.kind, rules?.factors) }) : { energy_Wh: 0, power_W: 0 }))
  const below = new Map<string, W>()
  members.forEach((m, i) => { for (const node of new Set(m.path)) if (caps_W[node] !== undefined) below.set(node, (below.get(node) ?? 0) + back[i]!.power_W) })
  const passes = [...below].filter(([node, w]) => w > caps_W[node]!).map(([node, rebound_W]) => ({ node, rebound_W, limit_W: caps_W[node]! })).sort((a, b) => (a.node < b.node ? -1 : 1))
  const power_W = back.reduce((sum, b) => sum + b.power_W, 0), before_W = members.reduce((sum, m) => sum + (m.expected_W ?? 0), 0)
  const limits = [...passes.map((p) => p.limit_W), ...(rules?.limitPerWave_kW === undefined ? [] : [rules.limitPerWave_kW * 1000])]
  const returning = members.map((m, i) => ({ id: m.id, power_W: back[i]!.power_W })).filter((m) => m.power_W > 0).sort((a, b) => (a.id < b.id ? -1 : 1))
  const most = Math.max(0, ...returning.map((m) => m.power_W)), limit = Math.min(...limits)
  // waves overlap while their recovery lasts, so the limit holds for all that recover at once
  const together = Math.ceil(recovery / waveMinutes)
  const found = limits.length === 0 || power_W <= limit ? undefined
    : stagger({ loads: returning.length, reboundPerLoad_kW: most / 1000, limitPerWave_kW: Math.max(limit / together, most) / 1000, waveMinutes, reboundMinutes: recovery })
  const releaseAfter_s = new Map<string, number>()
  const waves = found ? releaseWaves(returning.map((m) => m.id), found.waveSize, eventNumber) : []
  waves.forEach((ids, k) => { for (const id of ids) releaseAfter_s.set(id, k * waveMinutes * 60) })
  return { energy_Wh: back.reduce((sum, b) => sum + b.energy_Wh, 0), power_W, before_W, after_W: before_W + power_W, passes, releaseAfter_s, waves: Math.max(waves.length, members.length > 0 ? 1 : 0) }
}

/** CORE-071: who starts how many seconds late so that the portfolio changes by at most `ramp_W` a minute; in the order given. */
export function rampStarts(shares: readonly { readonly id: string; readonly power_W: W }[], ramp_W: W | undefined): { late_s: ReadonlyMap<string, number>; tooLarge: readonly string[] } {
  const late_s = new Map<string, number>(), tooLarge: string[] = []
  if (ramp_W === undefined || !(ramp_W > 0)) return { late_s, tooLarge }
  let minute = 0, used = 0
  for (const s of shares) {
    if (s.power_W > ramp_W) tooLarge.push(s.id)
    if (used > 0 && used + s.power_W > ramp_W) {
      // one that is larger than a minute's ramp keeps the minutes after it free as well
      minute += Math.max(1, Math.ceil(used / ramp_W))
      used = 0
    }
    used += s.power_W
    if (minute > 0) late_s.set(s.id, minute * 60)
  }
  return { late_s, tooLarge }
}

/** The instruction moved to its own start and end: the first piece begins later, the last one lasts longer. */
export function shifted(intervals: readonly OrderInterval[], late_s: number, longer_s: number): OrderInterval[] {
  if (intervals.length === 0 || (late_s === 0 && longer_s === 0)) return [...intervals]
  const start = intervals[0]!.start + late_s
  const kept = intervals.filter((i) => i.end > start).map((i) => ({ ...i, start: Math.max(i.start, start) }))
  const last = kept.at(-1)
  if (last) kept[kept.length - 1] = { ...last, end: last.end + longer_s }
  return kept
}
