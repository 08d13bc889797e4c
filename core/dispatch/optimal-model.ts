import { allocateMerit } from '#core/dispatch/merit.js'
import { CapRoom, type Caps } from '#core/dispatch/caps.js'
import { meritOrder, type Candidate } from '#core/dispatch/candidate.js'
import { byteOrder } from '#core/quantity/order.js'
import type { W } from '#core/quantity/power.js'

export interface OptimalCandidate extends Candidate {
  /** Energy over all intervals at most (battery content, comfort). */
  readonly energy_Wh?: number | undefined
  /** Change from one interval to the next at most. */
  readonly ramp_W?: W | undefined
}

export interface OptimalInput {
  /** Target of each interval, and its length. */
  readonly targets_W: readonly W[]
  readonly hours: readonly number[]
  readonly caps_W?: Caps | undefined
  readonly candidates: readonly OptimalCandidate[]
}

/** Whole watts by candidate (in byte order of id) and interval. */
export interface OptimalPlan {
  readonly ids: readonly string[]
  readonly power_W: readonly (readonly W[])[]
  readonly shortfall_W: readonly W[]
}

const ordered = (input: OptimalInput): OptimalCandidate[] => [...input.candidates].sort((a, b) => byteOrder(a.id, b.id))

/** CORE-065 as an LP in CPLEX text: cost + shortfall at a penalty above every cost; caps, energy, ramps. */
export function lpText(input: OptimalInput): string {
  const list = ordered(input), { targets_W, hours, caps_W = {} } = input
  const penalty = 1000 * (1 + list.reduce((top, c) => Math.max(top, Math.abs(Number(c.cost ?? '0'))), 0))
  const objective: string[] = [], rows: string[] = [], bounds: string[] = []
  const below = new Map<string, number[]>(Object.keys(caps_W).map((n) => [n, []]))
  list.forEach((c, i) => [...new Set(c.path)].forEach((n) => below.get(n)?.push(i)))
  targets_W.forEach((target, t) => {
    const sum: string[] = []
    list.forEach((c, i) => {
      const cost = Number(c.cost ?? '0') * hours[t]!
      if (cost !== 0) objective.push(`${cost < 0 ? '-' : '+'} ${Math.abs(cost)} x${i}_${t}`)
      sum.push(`x${i}_${t}`)
      bounds.push(`0 <= x${i}_${t} <= ${c.avail_W}`)
    })
    objective.push(`+ ${penalty * hours[t]!} s${t}`)
    rows.push(`t${t}: ${lines([...sum, `s${t}`])} = ${target}`)
    let n = 0
    for (const [node, members] of below) if (members.length > 0) rows.push(`c${n++}_${t}: ${lines(members.map((i) => `x${i}_${t}`))} <= ${caps_W[node]}`)
  })
  list.forEach((c, i) => {
    if (c.energy_Wh !== undefined) rows.push(`e${i}: ${lines(hours.map((h, t) => `${h} x${i}_${t}`))} <= ${c.energy_Wh}`)
    if (c.ramp_W === undefined) return
    for (let t = 1; t < hours.length; t++) {
      rows.push(`u${i}_${t}: x${i}_${t} - x${i}_${t - 1} <= ${c.ramp_W}`, `d${i}_${t}: x${i}_${t - 1} - x${i}_${t} <= ${c.ramp_W}`)
    }
  })
  return `Minimize\n obj: ${lines(objective, ' ')}\nSubject To\n${rows.join('\n')}\nBounds\n${bounds.join('\n')}\nEnd\n`
}

/** LP text has a limit on the length of a line. */
export function lines(terms: readonly string[], glue = ' + '): string {
  const out: string[] = []
  for (let i = 0; i < terms.length; i += 20) out.push(terms.slice(i, i + 20).join(glue))
  return out.join(`${glue}\n `)
}

/** LP values → whole watts: floors, then single watts by largest remainder inside availability, caps and energy (CORE-072). */
export function wholeWatts(input: OptimalInput, value: (i: number, t: number) => number): OptimalPlan {
  const list = ordered(input), power = list.map(() => input.hours.map(() => 0)), shortfall: W[] = []
  const energy = list.map((c) => c.energy_Wh ?? Infinity)
  input.targets_W.forEach((target, t) => {
    const room = new CapRoom(input.caps_W)
    const give = (i: number, w: W): W => {
      const c = list[i]!, now = power[i]![t]!, h = input.hours[t]!
      const byRamp = t > 0 && c.ramp_W !== undefined ? power[i]![t - 1]! + c.ramp_W - now : Infinity
      const take = Math.max(0, Math.min(w, c.avail_W - now, room.room(c.path ?? []).room, Math.floor(energy[i]! / h + 1e-9), byRamp))
      power[i]![t]! += take
      energy[i]! -= take * h
      room.take(c.path ?? [], take)
      return take
    }
    let rest = target
    const parts = list.map((_, i) => {
      const v = Math.max(0, value(i, t)), whole = Math.floor(v + 1e-6)
      return { i, whole, fraction: v - whole }
    })
    for (const p of parts) rest -= give(p.i, Math.min(p.whole, rest))
    for (const p of parts.filter((q) => q.fraction > 1e-6).sort((a, b) => b.fraction - a.fraction || a.i - b.i)) if (rest > 0) rest -= give(p.i, 1)
    shortfall.push(rest)
  })
  return { ids: list.map((c) => c.id), power_W: power, shortfall_W: shortfall }
}

/** The answer when no solver is there in time: merit interval by interval, energy and ramp kept. */
export function meritPlan(input: OptimalInput): OptimalPlan {
  const list = ordered(input), place = new Map(list.map((c, i) => [c.id, i]))
  const power = list.map(() => input.hours.map(() => 0)), energy = list.map((c) => c.energy_Wh ?? Infinity), shortfall: W[] = []
  input.targets_W.forEach((target_W, t) => {
    const h = input.hours[t]!
    const candidates = list.map((c, i) => {
      const byRamp = t > 0 && c.ramp_W !== undefined ? power[i]![t - 1]! + c.ramp_W : Infinity
      return { ...c, avail_W: Math.max(0, Math.min(c.avail_W, Math.floor(energy[i]! / h + 1e-9), byRamp)) }
    }).sort(meritOrder)
    const a = allocateMerit({ target_W, caps_W: input.caps_W, candidates })
    for (const [id, w] of a.allocation) {
      const i = place.get(id)!
      power[i]![t] = w
      energy[i]! -= w * h
    }
    shortfall.push(a.shortfall_W)
  })
  return { ids: list.map((c) => c.id), power_W: power, shortfall_W: shortfall }
}
