import type { Nomination } from '#core/flex/nomination.js'
import type { Stores } from '#core/port/store/index.js'
import type { Interval } from '#core/quantity/interval.js'
import { Exact } from '#core/quantity/money.js'
import type { W } from '#core/quantity/power.js'

type Promised = Pick<Nomination, 'start' | 'end' | 'power_W'>

/** What promises add up to at the moment of a window at which they are most: the sum rises only where one begins. */
export function mostAtOnce(promises: readonly Promised[], window: Interval): W {
  const moments = [window.start, ...promises.map((p) => p.start).filter((s) => s > window.start && s < window.end)]
  return Math.max(0, ...moments.map((at) => promises.reduce((sum, p) => (p.start <= at && p.end > at ? sum + p.power_W : sum), 0)))
}

export interface Commitment {
  /** What the program's seller stands for in the period; undefined where nothing was accepted. */
  readonly portfolio_W: W | undefined
  /** Power × hours within the period of what is counted, kWh as exact text (CORE-180, availability). */
  readonly ready_kWh: string
  /** By enrolment. */
  readonly enrolments: ReadonlyMap<string, W>
  /** Aggregations that promised something. */
  readonly aggregations: readonly string[]
}

/**
 * Accepted nominations of a program in a period (core-dr.md §2: a nomination is a commitment, CORE-180 pays capacity for it). Interpretation: of
 * several, what they promise together at the moment at which it is most; a portfolio's promise to the market contains what its members promised
 * to it, so members count only where no portfolio promised.
 */
export async function commitmentOf(stores: Stores, tenant: string, program: string, period: Interval): Promise<Commitment> {
  const accepted: Nomination[] = []
  for (let skip = 0; ; skip += 1000) {
    const page = await stores.documents.list<Nomination>(tenant, { kind: 'core/Nomination', parent: program, where: { state: 'accepted' }, sort1To: period.end - 1, sort2From: period.start + 1, order: ['id'], skip, limit: 1000 })
    accepted.push(...page.map((d) => d.body))
    if (page.length < 1000) break
  }
  const of = (kind: Nomination['owner']['kind']): Nomination[] => accepted.filter((n) => n.owner.kind === kind), own = of('enrolment'), portfolios = of('aggregation')
  const counted = portfolios.length > 0 ? portfolios : own
  return {
    ready_kWh: counted.reduce((sum, n) => sum.plus(new Exact(n.power_W).times(Math.min(n.end, period.end) - Math.max(n.start, period.start)).div(3_600_000)), new Exact(0)).toString(),
    portfolio_W: counted.length === 0 ? undefined : mostAtOnce(counted, period), aggregations: [...new Set(portfolios.map((n) => n.owner.id))].sort(),
    enrolments: new Map([...new Set(own.map((n) => n.owner.id))].map((id) => [id, mostAtOnce(own.filter((n) => n.owner.id === id), period)])),
  }
}
