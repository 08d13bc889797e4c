import type { Delivery } from '#core/dispatch/delivery.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import { forecast } from '#core/dispatch/forecast.js'
import { held, shareOf, stretches } from '#core/dispatch/gap.js'
import { orderIntervals, plan, type PlanInput, type PlanResource, type Share } from '#core/dispatch/plan.js'
import type { Prospects } from '#core/dispatch/prospects.js'
import type { Interval } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'

/** CORE-070: at most one change per resource in 15 minutes. */
const changeEvery_ms = 15 * 60_000

/** Reasons of deliveries whose resource may be asked again by the same order: nothing speaks against it. */
export const backIn = 'opted back in', notNeeded = 'no longer needed'
const mayReturn: ReadonlySet<string | null> = new Set([backIn, notNeeded])

/** A resource's restated part: `replaces` is the delivery whose place it takes. */
export interface Restated {
  readonly share: Share
  readonly replaces: Delivery
}

export interface MadeGood {
  readonly missing_W: W
  readonly fresh: readonly Share[]
  readonly restated: readonly Restated[]
  /** Replacements that are too much now that somebody is back (CORE-072, CORE-114). */
  readonly release: readonly Delivery[]
  readonly left_W: W
}

export interface MakeGoodInput {
  readonly dispatch: Dispatch
  readonly program: PlanInput['program']
  readonly window: Interval
  readonly prospects: Prospects
  readonly deliveries: readonly Delivery[]
  readonly nowMs: number
  /** What should be instructed, over-subscription and compensation included; the order itself when absent. */
  readonly asked_W?: W
  readonly spread_s?: number
}

/**
 * CORE-070, pure: the watts that are missing, first over resources that are not part of the dispatch, then over the headroom of
 * those that obey; then, stretch by stretch, what is missing only for a while. A resource that fell out is not asked again; one that
 * was changed lately neither, unless it is an emergency.
 */
export function makeGood(input: MakeGoodInput): MadeGood {
  const { dispatch, program, window, deliveries, nowMs, spread_s = 0 } = input, asked = input.asked_W ?? Math.abs(dispatch.delta_W)
  const sign = dispatch.delta_W < 0 ? -1 : 1, mine = held(deliveries), lines = stretches(mine, window, spread_s)
  const used = new Map<string, Delivery[]>()
  for (const d of mine) used.set(d.resource, [...used.get(d.resource) ?? [], d])
  const fallen = new Set(deliveries.filter((d) => !used.has(d.resource) && d.state !== 'superseded' && !mayReturn.has(d.reason)).map((d) => d.resource))
  const most = Math.max(0, ...lines.map((l) => l.have_W)), missing_W = Math.max(0, asked - most)
  const part = (delta_W: W, over: Interval, resources: readonly PlanResource[], caps_W: PlanInput['caps_W']) =>
    plan({ program, order: { start: over.start, end: over.end, delta_W, mode: dispatch.mode, priority: dispatch.priority }, resources, caps_W, now: Math.floor(nowMs / 1000) })
  const { resources } = input.prospects, caps_W = { ...input.prospects.caps_W }, fresh: Share[] = []
  const take = (shares: readonly Share[]): void => {
    for (const s of shares) for (const node of s.of.path) if (caps_W[node] !== undefined) caps_W[node] = Math.max(0, caps_W[node] - Math.abs(s.allotment.delta_W))
  }
  let rest = missing_W
  if (rest > 0) {
    const first = part(sign * rest, window, resources.filter((r) => !used.has(r.resource.id) && !fallen.has(r.resource.id)), caps_W)
    fresh.push(...first.shares)
    take(first.shares)
    rest -= Math.abs(first.allocated_W)
  }
  const restated: Restated[] = []
  if (rest > 0) {
    // CORE-035: who obeys for a part of the window only may be promised to others in the rest of it
    const whole = (id: string): Delivery | undefined => (used.get(id)?.length === 1 && used.get(id)![0]!.order.start <= window.start + spread_s && used.get(id)![0]!.order.end >= window.end ? used.get(id)![0] : undefined)
    const obeying = resources.filter((r) => {
      const d = whole(r.resource.id)
      return d !== undefined && d.state !== 'queued' && d.state !== 'sent' && (d.order.revision === 1 || nowMs - d.order.createdAt >= changeEvery_ms || dispatch.emergency.length > 0)
    })
    const second = part(sign * rest, window, obeying, caps_W)
    take(second.shares)
    rest -= Math.abs(second.allocated_W)
    for (const s of second.shares) {
      const replaces = whole(s.allotment.resource)!, delta_W = shareOf(replaces) + s.allotment.delta_W, others = s.of.promised.filter((p) => p.delivery !== replaces.id)
      const expected = forecast(s.of.resource, s.of.beliefs, window, sign < 0 ? 'down' : 'up').expected
      restated.push({ replaces, share: { ...s, allotment: { ...s.allotment, delta_W }, intervals: orderIntervals({ ...s.of, promised: others }, expected, delta_W) } })
    }
  }
  let left_W = Math.max(0, rest)
  for (const line of lines) {
    const extra = Math.min(asked, most) - line.have_W
    if (extra <= 0) continue
    const taken = new Set(fresh.map((s) => s.allotment.resource)), busy = (id: string): boolean => used.get(id)?.some((d) => d.order.start < line.end && d.order.end > line.start) ?? false
    const more = part(sign * extra, line, resources.filter((r) => !busy(r.resource.id) && !taken.has(r.resource.id) && !fallen.has(r.resource.id)), caps_W)
    fresh.push(...more.shares)
    take(more.shares)
    left_W = Math.max(left_W, rest + extra - Math.abs(more.allocated_W))
  }
  return { missing_W, fresh, restated, release: surplus(mine, Math.min(...lines.map((l) => l.have_W)) - asked), left_W }
}

/** Replacements (never what was first ordered) that can go as a whole, newest first. */
function surplus(mine: readonly Delivery[], over_W: W): Delivery[] {
  const out: Delivery[] = []
  let over = over_W
  if (over <= 0) return out
  for (const d of [...mine].filter((x) => x.order.revision > 1).sort((a, b) => b.order.revision - a.order.revision || (a.id < b.id ? 1 : -1))) {
    const w = Math.abs(shareOf(d))
    if (w > over) continue
    out.push(d)
    over -= w
  }
  return out
}
