import type { Caps } from '#core/dispatch/caps.js'
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
  stop('step', size, l.maxStep_W, 'W')
  stop('changePerMinute', size / Math.max(f.rampMinutes, 1), l.maxChangePerMinute_W, 'W/min')
  stop('absolute', total, l.maxAbsolute_W, 'W')
  const vendor = largestShare(f.instructions.map((i) => i.vendor), f.fleet), node = largestShare(f.instructions.flatMap((i) => [...new Set(i.path)]), f.fleet)
  stop(`vendor ${vendor.name}`, vendor.share, l.maxVendorShare, 'of the fleet')
  stop(`node ${node.name}`, node.share, l.maxNodeShare, 'of the fleet')
  stop('instructionRate', f.instructionsPerSecond, l.maxInstructionsPerSecond, 'instructions/s')
  return { stops, needsSecondPerson: l.twoPersonAbove_W !== undefined && size > l.twoPersonAbove_W }
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
