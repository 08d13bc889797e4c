import { Exact, fromMinor, type Money } from '#core/quantity/money.js'
import { settle, type PartyShare, type SettleInput, type Settlement } from '#core/settlement/settle.js'
import { optOutCharges } from '#core/settlement/opt-out-price.js'
import { exactMinor } from '#core/settlement/split.js'
import type { Line, PriceRule } from '#core/settlement/terms.js'
import { monthFactor, performanceFactor } from '#core/verification/performance.js'
import type { FloorLevel } from '#core/verification/floor-level.js'

/** Everything that a run is calculated from, frozen as plain data (CORE-186): years later it gives the same result (REL-083). */
export interface RunInput {
  readonly from: number
  readonly to: number
  readonly terms: {
    readonly program: string
    readonly programVersion: number
    readonly currency: string
    readonly energyPrice: string | null
    readonly rules: readonly PriceRule[]
    readonly customerShare: string
    readonly floorLevel: FloorLevel
    readonly cap: string | null
    readonly method: string
    readonly level: 'point' | 'portfolio'
    readonly disputeDays: number
    /** CORE-184: further parties in the contract's order, before and after the customers. */
    readonly ahead?: readonly PartyShare[]
    readonly behind?: readonly PartyShare[]
    /** CORE-113: what one refusal beyond the free ones costs; only where the program prices them. */
    readonly optOutPenalty?: Money
  }
  readonly points: Readonly<Record<string, { readonly share: string | null; readonly nominated_W: number | null }>>
  readonly events: readonly RunEvent[]
  /**
   * CORE-173: the factor of the period is the mean of its events', and without one the last before it; capacity is paid for the accepted nomination.
   * Absent in inputs that were frozen before this was so: they are calculated as they were.
   */
  readonly month?: {
    readonly nominated_kW: string | null
    readonly lastPF: string | null
    /** CORE-181: events since the season began, tests not counted; absent: those of the period. */
    readonly seasonEvents?: number
    /** CORE-180: kWh that were held ready: accepted power × its hours; absent: the events' commitment × theirs. */
    readonly available_kWh?: string
  }
  /** CORE-023: points whose capacity another program pays, and their part of this one's. */
  readonly capacityElsewhere?: Readonly<Record<string, { readonly program: string; readonly kW: string }>>
  /** CORE-113: priced refusals of the period by point. */
  readonly optOuts?: Readonly<Record<string, number>>
}

export interface RunEvent {
  readonly dispatch: string
  readonly verification: string
  readonly inputHash: string
  readonly status: 'OK' | 'INSUFFICIENT_DATA'
  readonly committed_kW: string
  readonly days: readonly string[]
  /** CORE-055, CORE-177: a test, and whether it is paid: nothing, or no more than what was asked × its length. */
  readonly test?: 'unpaid' | 'capped'
  readonly intervals: readonly { readonly start: number; readonly end: number }[]
  readonly portfolio_kW: readonly number[] | null
  /** CORE-023: by point, the intervals whose energy a program of higher priority pays. */
  readonly yielded?: Readonly<Record<string, readonly number[]>>
  readonly points: readonly { readonly id: string; readonly status: string; readonly own_kWh: number | null; readonly delivered_kW: readonly number[]; readonly baseline_kWh?: number | null; readonly metered_kWh?: number | null; readonly flags?: readonly string[]; readonly account?: string | null }[]
}

export interface RunResult {
  readonly revenue: Money
  readonly tax: Money
  readonly customerPool: Money
  readonly aggregator: Money
  readonly payments: Readonly<Record<string, Money>>
  /** CORE-184: what further parties receive; absent where the contract names none. */
  readonly parties?: Readonly<Record<string, Money>>
  readonly energy_Wh: Readonly<Record<string, number>>
  readonly events: readonly { readonly dispatch: string; readonly lines: readonly Line[]; readonly revenue: Money; readonly payments: Readonly<Record<string, Money>>; readonly energy_Wh: Readonly<Record<string, number>>; readonly trace: Settlement['trace'] }[]
  readonly period: { readonly lines: readonly Line[]; readonly payments: Readonly<Record<string, Money>> } | null
  /** CORE-113: charges for refusals, taken off the point's payment and kept by the aggregator; absent where there are none. */
  readonly optOuts?: Readonly<Record<string, { readonly count: number; readonly amount: Money }>>
  /** Events that cannot be paid because they cannot be verified. */
  readonly unverified: readonly string[]
}

/** Pure: energy event by event, since the floor and the cap are an event's (CORE-171, CORE-172); the other components once for the period. */
export function calculate(input: RunInput): RunResult {
  const { terms } = input, good = input.events.filter((e) => e.status === 'OK')
  const points = (event: RunEvent) => event.points.map((p) => ({
    id: p.id, delivered_kW: ownEnergy(event, p), nominated_W: input.points[p.id]?.nominated_W ?? undefined, share: input.points[p.id]?.share ?? undefined,
  }))
  const common = { currency: terms.currency, customerShare: terms.customerShare, floorLevel: terms.floorLevel, cap: terms.cap, ...(terms.ahead ? { ahead: terms.ahead } : {}), ...(terms.behind ? { behind: terms.behind } : {}) }
  const events = terms.energyPrice === null ? [] : good.filter((e) => e.test !== 'unpaid').map((e) => ({ e, s: settle({
    ...common, ...(e.test === 'capped' ? { cap: '1' } : {}), energyPrice: terms.energyPrice!, intervals: e.intervals, points: points(e), committed_kW: e.committed_kW, ...(e.portfolio_kW ? { portfolio_kW: portfolioEnergy(e, e.portfolio_kW) } : {}),
  }) }))
  const periods = periodsOf(input, good, common), all = [...events.map((x) => x.s), ...periods]
  const total = (amounts: readonly Money[]): Money => fromMinor(amounts.reduce((sum, m) => sum + exactMinor(m, terms.currency), 0n), terms.currency)
  const charges = input.optOuts && terms.optOutPenalty !== undefined ? optOutCharges(input.optOuts, terms.optOutPenalty, terms.currency) : {}, charged = total(Object.values(charges))
  const ids = [...new Set([...all.flatMap((s) => Object.keys(s.payments)), ...Object.keys(charges)])].sort()
  const energy = new Map<string, number>()
  for (const { s } of events) for (const [id, Wh] of s.energy_Wh) energy.set(id, (energy.get(id) ?? 0) + Wh)
  const named = [...new Set(all.flatMap((s) => Object.keys(s.parties)))].sort()
  return {
    ...(named.length === 0 ? {} : { parties: Object.fromEntries(named.map((party) => [party, total(all.map((s) => s.parties[party] ?? '0'))])) }),
    revenue: total(all.map((s) => s.revenue)), tax: total(all.map((s) => s.tax)), customerPool: total([...all.map((s) => s.customerPool), charged]), aggregator: total([...all.map((s) => s.aggregator), negated(charged)]),
    payments: Object.fromEntries(ids.map((id) => [id, total([...all.map((s) => s.payments[id] ?? '0'), charges[id] ?? '0'])])), energy_Wh: Object.fromEntries([...energy].sort(([a], [b]) => (a < b ? -1 : 1))),
    events: events.map(({ e, s }) => ({ dispatch: e.dispatch, lines: s.lines, revenue: s.revenue, payments: s.payments, energy_Wh: Object.fromEntries(s.energy_Wh), trace: s.trace })),
    period: periods.length > 0 ? { lines: periods.flatMap((p) => p.lines), payments: Object.fromEntries([...new Set(periods.flatMap((p) => Object.keys(p.payments)))].sort().map((id) => [id, total(periods.map((p) => p.payments[id] ?? '0'))])) } : null, ...(Object.keys(charges).length === 0 ? {} : { optOuts: Object.fromEntries(Object.entries(charges).map(([id, amount]) => [id, { count: input.optOuts![id]!, amount }])) }), unverified: input.events.filter((e) => e.status !== 'OK').map((e) => e.dispatch),
  }
}

/** CORE-023: delivered power of a point without the intervals that another program pays. */
function ownEnergy(e: RunEvent, p: RunEvent['points'][number]): readonly number[] {
  const out = new Set(e.yielded?.[p.id])
  return out.size === 0 ? p.delivered_kW : p.delivered_kW.map((kW, i) => (out.has(i) ? 0 : kW))
}

/** Interpretation: of a portfolio's delivery, what its point delivered itself goes with the point. */
const portfolioEnergy = (e: RunEvent, portfolio_kW: readonly number[]): readonly number[] => (e.yielded === undefined ? portfolio_kW
  : portfolio_kW.map((kW, i) => e.points.reduce((left, p) => (e.yielded![p.id]?.includes(i) && Number.isFinite(p.delivered_kW[i]) ? left - p.delivered_kW[i]! : left), kW)))

type Common = Pick<SettleInput, 'currency' | 'customerShare' | 'floorLevel' | 'cap' | 'ahead' | 'behind'>
const capacityKinds: ReadonlySet<PriceRule['kind']> = new Set(['capacity', 'bonus'])

/** What is paid for the period: in one, or capacity apart where other programs pay it for some of the points. */
function periodsOf(input: RunInput, good: readonly RunEvent[], common: Common): Settlement[] {
  const { rules } = input.terms, elsewhere = input.capacityElsewhere ?? {}
  const one = (some: readonly PriceRule[], without: NonNullable<RunInput['capacityElsewhere']>): Settlement[] => {
    const made = good.length > 0 ? settle({ ...common, ...together(input, good, without), rules: some }) : withoutEvent(input, common, some, without)
    return made ? [made] : []
  }
  if (rules.length === 0) return []
  if (Object.keys(elsewhere).length === 0) return one(rules, {})
  const apart = rules.filter((r) => capacityKinds.has(r.kind)), rest = rules.filter((r) => !capacityKinds.has(r.kind) && r.kind !== 'tax'), tax = rules.filter((r) => r.kind === 'tax')
  return [...(rest.length === 0 ? [] : one([...rest, ...tax], {})), ...(apart.length === 0 ? [] : one([...apart, ...tax], elsewhere))]
}

/** kW of a portfolio less those of its points whose capacity is paid elsewhere. */
const less = (kW: string, without: NonNullable<RunInput['capacityElsewhere']>): string => Exact.max(0, Object.values(without).reduce((left, x) => left.minus(x.kW), new Exact(kW))).toString()

/** Rules that look at what an event did; a period without one pays and charges nothing by them. */
const ofEvents: ReadonlySet<PriceRule['kind']> = new Set(['energy', 'penalty'])

/** CORE-173: a period without event is paid for its nomination, by the factor of the last test or event. */
function withoutEvent(input: RunInput, common: Common, rules: readonly PriceRule[], without: NonNullable<RunInput['capacityElsewhere']>): Settlement | undefined {
  const { nominated_kW = null, lastPF = null } = input.month ?? {}
  if (nominated_kW === null || lastPF === null || input.events.length > 0) return undefined
  return settle({
    ...common, intervals: [], committed_kW: less(nominated_kW, without), nominated_kW: less(nominated_kW, without), performanceFactor: lastPF, days: daysOf(input), seasonEvents: input.month?.seasonEvents ?? 0, available_kWh: input.month?.available_kWh ?? '0', rules: rules.filter((r) => !ofEvents.has(r.kind)),
    points: Object.entries(input.points).filter(([id]) => without[id] === undefined).map(([id, p]) => ({ id, delivered_kW: [], nominated_W: p.nominated_W ?? undefined, share: p.share ?? undefined })),
  })
}

/** CORE-173: of one event, mean delivery over its own commitment. */
function factorOf(e: RunEvent): string | undefined {
  let energy = 0, hours = 0
  e.intervals.forEach((interval, i) => {
    const h = (interval.end - interval.start) / 3600, kW = e.portfolio_kW ? e.portfolio_kW[i]! : e.points.reduce((sum, p) => sum + (Number.isFinite(p.delivered_kW[i]) ? p.delivered_kW[i]! : 0), 0)
    energy += (Number.isFinite(kW) ? kW : 0) * h
    hours += h
  })
  return hours === 0 ? undefined : performanceFactor([energy / hours], e.committed_kW)
}

/** Committed power × hours of the events. */
const kWhReady = (events: readonly RunEvent[]): string => events.reduce((sum, e) => sum.plus(new Exact(e.committed_kW).times(e.intervals.reduce((h, i) => h + (i.end - i.start), 0)).div(3600)), new Exact(0)).toString()

const daysOf = ({ from, to }: Pick<RunInput, 'from' | 'to'>): number => Math.round((to - from) / 86_400)

const negated = (amount: Money): Money => (amount.startsWith('-') ? amount.slice(1) : `-${amount}`)

/** All events of the period as one: capacity, availability, bonus, penalty and fees are the period's. */
function together(input: RunInput, events: readonly RunEvent[], without: NonNullable<RunInput['capacityElsewhere']>) {
  const intervals = events.flatMap((e) => e.intervals), ids = [...new Set(events.flatMap((e) => e.points.map((p) => p.id)))].filter((id) => without[id] === undefined).sort()
  const books = events.map((e) => new Map(e.points.map((p) => [p.id, p.delivered_kW])))
  const rows = new Map(ids.map((id) => [id, events.flatMap((e, i) => books[i]!.get(id) ?? e.intervals.map(() => NaN))]))
  const portfolio = events.every((e) => e.portfolio_kW) ? events.flatMap((e) => e.portfolio_kW!) : undefined
  const committed = events.map((e) => Number(e.committed_kW)).reduce((most, kW) => Math.max(most, kW), 0)
  return {
    intervals, ...(portfolio ? { portfolio_kW: portfolio } : {}), committed_kW: less(String(committed), without), days: daysOf(input), seasonEvents: input.month?.seasonEvents ?? events.length, available_kWh: input.month?.available_kWh ?? kWhReady(events),
    ...(input.month ? { performanceFactor: monthFactor(events.flatMap((e) => factorOf(e) ?? []), input.month.lastPF ?? undefined) } : {}), ...(input.month?.nominated_kW ? { nominated_kW: less(input.month.nominated_kW, without) } : {}),
    points: ids.map((id) => ({ id, delivered_kW: rows.get(id)!, nominated_W: input.points[id]?.nominated_W ?? undefined, share: input.points[id]?.share ?? undefined })),
  }
}
