import type { Caps } from '#core/dispatch/caps.js'
import type { FailedCheck } from '#core/dispatch/publishing-checks.js'
import type { Program } from '#core/program/program.js'
import type { Allocation, Candidate } from '#core/dispatch/candidate.js'
import type { W } from '#core/quantity/power.js'

/** CORE-203: how much one order may move. An absent limit does not bind. */
export interface GuardLimits {
  readonly maxStep_W?: W | undefined
  readonly maxChangePerMinute_W?: W | undefined
  readonly maxAbsolute_W?: W | undefined
  /** Share 0..1 of the whole fleet that one vendor or one node may contribute. */
  readonly maxVendorShare?: number | undefined
  readonly maxNodeShare?: number | undefined
  readonly maxInstructions?: number | undefined
  readonly maxInstructionsPerSecond?: number | undefined
  readonly twoPersonAbove_W?: W | undefined
}

export interface GuardFacts {
  readonly delta_W: W
  /** Portfolio change already under way, and minutes over which this order ramps. */
  readonly active_W: W
  readonly rampMinutes: number
  readonly instructions: readonly { readonly vendor: string; readonly path: readonly string[] }[]
  readonly fleet: number
  readonly instructionsPerSecond: number
}

export interface GuardVerdict {
  /** Non-empty: the request stops as a whole and a human is paged. */
  readonly stops: readonly { readonly guard: string; readonly detail: string }[]
  readonly needsSecondPerson: boolean
}

function largestShare(names: readonly string[], fleet: number): { name: string; share: number } {
  const count = new Map<string, number>()
  for (const n of names) count.set(n, (count.get(n) ?? 0) + 1)
  const [name, n] = [...count].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0] ?? ['', 0]
  return { name, share: fleet > 0 ? n / fleet : 0 }
}

/** CORE-203: every limit that is passed, named at once. */
export function guard(f: GuardFacts, l: GuardLimits): GuardVerdict {
  const stops: { guard: string; detail: string }[] = [], size = Math.abs(f.delta_W), total = Math.abs(f.active_W + f.delta_W)
  const stop = (guard: string, value: number, limit: number | undefined, unit: string): void => {
    if (limit !== undefined && value > limit) stops.push({ guard, detail: `${value} ${unit} is above ${limit} ${unit}` })
  }
  stop('maxOrder', size, l.maxStep_W, 'W')
  stop('maxRamp', size / Math.max(f.rampMinutes, 1), l.maxChangePerMinute_W, 'W/min')
  stop('maxActive', total, l.maxAbsolute_W, 'W')
  stop('maxInstructions', f.instructions.length, l.maxInstructions, 'devices')
  const vendor = largestShare(f.instructions.flatMap((i) => (i.vendor === '' ? [] : [i.vendor])), f.fleet), node = largestShare(f.instructions.flatMap((i) => [...new Set(i.path)]), f.fleet)
  stop('maxVendorShare', vendor.share, l.maxVendorShare, `of the fleet, of ${vendor.name},`)
  stop('maxNodeShare', node.share, l.maxNodeShare, `of the fleet, below ${node.name},`)
  stop('maxInstructionsPerSecond', f.instructionsPerSecond, l.maxInstructionsPerSecond, 'instructions/s')
  return { stops, needsSecondPerson: l.twoPersonAbove_W !== undefined && size > l.twoPersonAbove_W }
}

/** What a program says about guards (CORE-203), in its own words. */
interface GuardRules {
  readonly maxInstructions?: number
  readonly maxInstructionsPerSecond?: number
  readonly maxRamp_kW_per_min?: number
  readonly maxActive_kW?: number
  readonly maxVendorShare?: number
  readonly maxNodeShare?: number
  readonly ramp_s?: number
}

export interface GuardedOrder {
  readonly delta_W: W
  readonly instructions: readonly { readonly vendor?: string | undefined; readonly path: readonly string[] }[]
  /** Watts in load that this program's other live orders already move. */
  readonly active_W?: W
  readonly fleet?: number
  /** Seconds over which the starts are spread (CORE-071). */
  readonly spread_s?: number
}

const w = (kW: number | undefined): W | undefined => (kW === undefined ? undefined : Math.round(kW * 1000))

/** CORE-203 for a program's order: over any limit nothing is sent. The names are those of the program's rules. */
export function guards(program: Pick<Program, 'limits' | 'rules'>, order: GuardedOrder): FailedCheck[] {
  const rules = program.rules as GuardRules, { delta_W, instructions } = order
  const limits: GuardLimits = {
    maxStep_W: w(program.limits.maxOrder_kW), maxChangePerMinute_W: w(rules.maxRamp_kW_per_min), maxAbsolute_W: w(rules.maxActive_kW), maxVendorShare: rules.maxVendorShare, maxNodeShare: rules.maxNodeShare,
    maxInstructions: rules.maxInstructions, maxInstructionsPerSecond: rules.maxInstructionsPerSecond,
  }
  const { stops } = guard({
    delta_W, active_W: order.active_W ?? 0, rampMinutes: Math.max(rules.ramp_s ?? 60, order.spread_s ?? 0) / 60, fleet: order.fleet ?? 0,
    instructions: instructions.map((i) => ({ vendor: i.vendor ?? '', path: i.path })),
    instructionsPerSecond: instructions.length / Math.max(1, order.spread_s ?? 0),
  }, limits)
  return stops.map(({ guard: check, detail }) => ({ check, detail }))
}

/** CORE-203, REL-067: above the program's threshold an order waits for another person. */
export function needsSecondPerson(program: Pick<Program, 'limits'>, delta_W: W): boolean {
  return guard({ delta_W, active_W: 0, rampMinutes: 1, instructions: [], fleet: 0, instructionsPerSecond: 0 }, { twoPersonAbove_W: w(program.limits.twoPersonAbove_kW) }).needsSecondPerson
}

/** CORE-061, CORE-072: looks at a finished allocation with other code than made it; what it finds wrong, or nothing. */
export function prove(a: Pick<Allocation, 'allocation' | 'allocated_W' | 'shortfall_W'>, input: { target_W: W; caps_W?: Caps | undefined; candidates: readonly Candidate[]; maxOverDelivery_W?: W | undefined }): string[] {
  const wrong: string[] = [], below: Record<string, number> = {}
  const of = new Map(input.candidates.map((c) => [c.id, c]))
  let sum = 0
  for (const [id, w] of a.allocation) {
    const c = of.get(id)
    sum += w
    if (!c) wrong.push(`'${id}' is not a candidate`)
    else if (!Number.isSafeInteger(w) || w < 0 || w > c.avail_W) wrong.push(`'${id}' is given ${w} W of ${c.avail_W} W`)
    for (const node of new Set(c?.path)) below[node] = (below[node] ?? 0) + w
  }
  if (sum !== a.allocated_W) wrong.push(`the shares add up to ${sum} W, not ${a.allocated_W} W`)
  if (a.shortfall_W !== Math.max(0, input.target_W - sum)) wrong.push(`the shortfall is ${Math.max(0, input.target_W - sum)} W, not ${a.shortfall_W} W`)
  if (sum > input.target_W + (input.maxOverDelivery_W ?? 0)) wrong.push(`${sum} W is more than ordered`)
  for (const [node, cap] of Object.entries(input.caps_W ?? {})) if ((below[node] ?? 0) > cap) wrong.push(`${below[node]} W below '${node}', its cap is ${cap} W`)
  return wrong
}
