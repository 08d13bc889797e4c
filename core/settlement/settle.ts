import { Exact, fromMinor, toMinor, type Money } from '#core/quantity/money.js'
import { statementLines, type Line, type PriceRule } from '#core/settlement/terms.js'
import { exactMinor, largestRemainder, sequentialShares, splitRevenue } from '#core/settlement/split.js'
import { backAllocate } from '#core/verification/back-allocation.js'
import { performanceFactor, settledWh } from '#core/verification/performance.js'
import type { FloorLevel } from '#core/verification/floor-level.js'
import type { Wh } from '#core/quantity/energy.js'
import type { Interval } from '#core/quantity/interval.js'

/** A further party of the contract (a vendor, a technology partner) and its part of what is left when its turn comes. */
export interface PartyShare {
  readonly party: string
  readonly share: string
}

export interface SettlePoint {
  readonly id: string
  /** Signed delivery by interval (CORE-005), in the order of `intervals`; NaN = no reading, counts as nothing and is reported. */
  readonly delivered_kW: ArrayLike<number>
  readonly nominated_W?: number | undefined
  /** The enrolment's own share where it differs from the program's (CORE-027). */
  readonly share?: string | undefined
}

export interface SettleInput {
  readonly currency: string
  /** Fixed price per kWh, or one per interval; `rules` adds further components (CORE-180). */
  readonly energyPrice?: string | readonly string[] | undefined
  readonly rules?: readonly PriceRule[] | undefined
  readonly customerShare: string
  readonly floorLevel?: FloorLevel | undefined
  readonly intervals: readonly Interval[]
  /** Signed portfolio delivery by interval when the baseline is at portfolio level (CORE-134); else the sum of the points. */
  readonly portfolio_kW?: ArrayLike<number> | undefined
  readonly points: readonly SettlePoint[]
  readonly committed_kW?: string | undefined
  /** Paid energy over commitment at most (CORE-172); '1.2' by default, null = no cap. Only with a commitment. */
  readonly cap?: string | null | undefined
  /** What capacity is paid for where it is not the events' commitment: the accepted nomination. */
  readonly nominated_kW?: string | undefined
  /** CORE-184: parties that the contract serves before the customers, and after them out of the rest; in its order. */
  readonly ahead?: readonly PartyShare[] | undefined
  readonly behind?: readonly PartyShare[] | undefined
  readonly performanceFactor?: string | undefined
  readonly days?: number | undefined
  readonly available_kWh?: string | undefined
  readonly seasonEvents?: number | undefined
}

export interface Settlement {
  readonly currency: string
  readonly lines: readonly Line[]
  /** Net of tax: what the shares divide (CORE-185). */
  readonly revenue: Money
  readonly tax: Money
  readonly customerPool: Money
  readonly aggregator: Money
  readonly payments: Readonly<Record<string, Money>>
  /** Of further parties (CORE-184); empty where the contract names none. */
  readonly parties: Readonly<Record<string, Money>>
  readonly measured_Wh: Wh
  readonly paid_Wh: Wh
  /** Paid energy of each point by back-allocation (CORE-176). */
  readonly energy_Wh: ReadonlyMap<string, Wh>
  readonly trace: {
    readonly floorLevel: FloorLevel
    readonly floored: boolean
    readonly cap_Wh: Wh | null
    readonly capped: boolean
    readonly basis: 'delivery' | 'nomination' | 'equal'
    readonly interval_Wh: readonly Wh[]
    readonly missing: number
  }
}

const kWhText = (energy: Wh): string => new Exact(energy).div(1000).toString()
const hoursOf = (i: Interval): number => (i.end - i.start) / 3600

/** Whole Wh of each interval (CORE-006) at the level where the zero floor sits (CORE-171), and each point's own total. */
function energies(input: SettleInput, floorLevel: FloorLevel) {
  const n = input.intervals.length, rows: Wh[] = Array.from({ length: n }, () => 0), own: Wh[] = []
  let missing = 0
  const hours = input.intervals.map(hoursOf)
  for (const p of input.points) {
    let total = 0
    for (let i = 0; i < n; i++) {
      const kW = p.delivered_kW[i]!
      if (Number.isNaN(kW) || kW === undefined) {
        missing++
        continue
      }
      const energy = settledWh(kW * hours[i]!), counted = floorLevel === 'meterInterval' ? Math.max(0, energy) : energy
      total += counted
      rows[i]! += counted
    }
    own.push(total)
  }
  if (input.portfolio_kW && floorLevel !== 'meterInterval') {
    for (let i = 0; i < n; i++) {
      const kW = input.portfolio_kW[i]!
      rows[i] = Number.isNaN(kW) ? 0 : settledWh(kW * hours[i]!)
    }
  }
  const counted = floorLevel === 'portfolioInterval' ? rows.map((w) => Math.max(0, w)) : rows
  return { rows: counted, own, missing, hours }
}

/** CORE-180 … CORE-185 for one event or period: measured energy → paid energy → lines → shares, each exact and reproducible. */
export function settle(input: SettleInput): Settlement {
  const { currency, customerShare, points, intervals, committed_kW } = input, floorLevel = input.floorLevel ?? 'portfolioEvent'
  const { rows, own, missing, hours } = energies(input, floorLevel)
  const measured = rows.reduce((a, b) => a + b, 0), floored = floorLevel === 'portfolioEvent' && measured < 0
  const afterFloor = floored ? 0 : measured
  const totalHours = hours.reduce((a, b) => a + b, 0)
  const cap_Wh = committed_kW === undefined || input.cap === null ? null : Number(new Exact(committed_kW).times(totalHours).times(input.cap ?? '1.2').times(1000).toFixed(0))
  const capped = cap_Wh !== null && afterFloor > cap_Wh
  const paid_Wh = capped ? cap_Wh : afterFloor

  const mean_kW = totalHours === 0 ? '0' : new Exact(measured).div(1000).div(totalHours).toString()
  const rules: PriceRule[] = [...(input.energyPrice === undefined ? [] : [{ kind: 'energy' as const, price: input.energyPrice }]), ...(input.rules ?? [])]
  const pf = input.performanceFactor ?? (committed_kW === undefined || intervals.length === 0 ? undefined : performanceFactor([mean_kW], committed_kW))
  const { lines, net, tax } = statementLines(rules, {
    paid_kWh: kWhText(paid_Wh), interval_kWh: rows.map(kWhText), committed_kW, nominated_kW: input.nominated_kW, performanceFactor: pf, mean_kW,
    days: input.days, available_kWh: input.available_kWh, seasonEvents: input.seasonEvents,
  }, currency)
  const back = points.length === 0 ? { basis: 'equal' as const, energy_Wh: new Map<string, Wh>() }
    : backAllocate(paid_Wh, points.map((p, i) => ({ id: p.id, delivered_Wh: own[i]!, nominated_W: p.nominated_W })))
  const revenue = fromMinor(net, currency)
  // Where nothing was paid in energy the pool still goes somewhere: by nomination, else in equal parts (CORE-176).
  const weights = paid_Wh !== 0 ? back.energy_Wh : new Map(points.map((p, i) => [p.id, Math.max(0, own[i]!) || (back.basis === 'nomination' ? (p.nominated_W ?? 0) : 0)]))
  const parts = points.map((p) => ({ id: p.id, weight: Math.abs(weights.get(p.id) ?? 0) }))
  const { rest, ...ahead } = sequentialShares({ revenue, currency, shares: input.ahead ?? [], remainderTo: 'rest' }), left = rest!
  const shares = points.some((p) => p.share !== undefined && p.share !== customerShare)
    ? ownShares(exactMinor(left, currency), input, parts) : splitRevenue({ revenue: left, customerShare, currency, parts })
  const { rest: aggregator, ...behind } = sequentialShares({ revenue: shares.aggregator, currency, shares: input.behind ?? [], remainderTo: 'rest' })
  return {
    currency, lines, revenue, tax: fromMinor(tax, currency), customerPool: shares.customerPool, aggregator: aggregator!, payments: shares.payments, parties: { ...ahead, ...behind },
    measured_Wh: measured, paid_Wh, energy_Wh: back.energy_Wh,
    trace: { floorLevel, floored, cap_Wh, capped, basis: back.basis, interval_Wh: rows, missing },
  }
}

/** Enrolments with shares of their own: revenue goes to points first, then each takes its share half-up; the aggregator keeps the rest. */
function ownShares(net: bigint, input: SettleInput, parts: readonly { id: string; weight: number }[]) {
  const { currency } = input, gross = largestRemainder(net, parts)
  const shareOf = new Map(input.points.map((p) => [p.id, p.share ?? input.customerShare]))
  const payments = [...gross].map(([id, minor]): [string, bigint] => [id, toMinor(new Exact(fromMinor(minor, currency)).times(shareOf.get(id)!), currency)])
  const pool = payments.reduce((sum, [, minor]) => sum + minor, 0n)
  return {
    customerPool: fromMinor(pool, currency), aggregator: fromMinor(net - pool, currency),
    payments: Object.fromEntries(payments.map(([id, minor]) => [id, fromMinor(minor, currency)])),
  }
}
