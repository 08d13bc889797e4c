import { mostAtOnce } from '#core/flex/commitment.js'
import { moveNomination, nominate, nominationKind, type Nomination } from '#core/flex/nomination.js'
import { cancelDispatch } from '#core/dispatch/cancel.js'
import { reallocateTask } from '#core/dispatch/reallocate.js'
import { replay, type Sold } from '#core/dispatch/capacity-replay.js'
import { scene, start, type Scene } from '#core/dispatch/test-scene.js'
import { silent, type Log } from '#core/port/log.js'
import { isRefusal } from '#core/error.js'
import { forever, optIn, optOut } from '#core/opt-out/opt-out.js'
import { every } from '#core/port/store/every.js'
import { apply, transition } from '#core/program/enrol.js'
import { holds } from '#core/program/screening.js'
import type { AgendaEntry } from '#core/port/store/agenda.js'

/** REL-026: operators who compete for the same devices at once, on the use cases that sell, free and withdraw capacity. */
export interface HistoryWish {
  readonly operations: number
  readonly operators: number
  readonly points: number
  readonly seed: number
}

export const doings = ['order', 'cancel', 'reallocate', 'nominate', 'leave', 'return', 'optOut', 'optIn'] as const
export type Doing = (typeof doings)[number]

export interface History {
  /** Answers by what was asked and what came of it, e.g. `order refused`. */
  readonly answers: Readonly<Record<string, number>>
  readonly unexpected: readonly string[]
  /** What the replay of the trail found wrong, and where books and trail differ. */
  readonly violations: readonly string[]
  /** Units of work that met a deadlock and ran again: the one order of locks leaves none (REL-025). */
  readonly races: number
  readonly replayed: Sold['moves']
  readonly seconds: number
}

const hour = 3600, slots = 6
/** Cumulated shares of the kinds of operation, of 100. */
const mix: readonly (readonly [Doing, number])[] = [['order', 46], ['cancel', 70], ['reallocate', 76], ['nominate', 82], ['leave', 85], ['return', 93], ['optOut', 95], ['optIn', 100]]

/** Runs the operations and judges the history that they leave. */
export async function capacityHistory(owner: Parameters<typeof scene>[0], { operations, operators, points, seed: first }: HistoryWish): Promise<History> {
  let races = 0
  const log: Log = { ...silent, debug: (_, message) => { if (message?.includes('lost a race')) races++ } }
  const s = await scene(owner, { points, log }), answers: Record<string, number> = {}, unexpected: string[] = []
  const random = randomFrom(first), mine: string[] = []
  let left = operations
  const count = (what: string): void => { answers[what] = (answers[what] ?? 0) + 1 }
  const operator = async (): Promise<void> => {
    while (left-- > 0) {
      const dice = random(100), what = mix.find(([, below]) => dice < below)![0]
      try { count(`${what} ${await perform(s, what, random, mine)}`) } catch (error) {
        // the wait for the ledger lock is bounded (REL-029) and a stale version loses; the replay proves that nothing was stored
        if (isRefusal(error) && ['conflict', 'stale', 'unavailable', 'notFound'].includes(error.kind)) count(`${what} ${error.kind}`)
        else unexpected.push(`${what}: ${String(error)}`)
      }
    }
  }
  const begun = performance.now()
  await Promise.all(Array.from({ length: operators }, operator))
  const seconds = (performance.now() - begun) / 1000, sold = await replay(s, { start, slots, slot_s: hour, down_W: 10_000 })
  return { answers, unexpected, races, violations: [...sold.violations, ...await nominations(s)], replayed: sold.moves, seconds }
}

export function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => ((state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 16) % below
}

async function perform(s: Scene, what: Doing, random: (n: number) => number, mine: string[]): Promise<string> {
  const { core, database, tenant, me, program, order } = s, resource = s.resources[random(s.resources.length)]!
  const from = random(slots), window = { start: start + from * hour, end: start + (from + 1 + random(slots - from)) * hour }
  const place = async () => (await every((page) => database.stores.enrolments.list(tenant, { servicePoint: resource.servicePoint, program: program.id }, page))).find((e) => holds.has(e.state))
  const standing = async () => { const e = await place(); return e?.state === 'active' ? e : undefined }
  switch (what) {
    case 'order': {
      const issued = await order({ delta_W: -(1 + random(12_000)), ...window })
      if (issued.outcome === 'issued') mine.push(issued.dispatch.id)
      return issued.outcome
    }
    case 'cancel': {
      if (mine.length === 0) return 'nothing'
      const id = mine.splice(random(mine.length), 1)[0]!
      try { await core.transact((w) => cancelDispatch(w, me, id)) } catch (error) { mine.push(id); throw error }
      return 'done'
    }
    case 'reallocate':
      if (mine.length === 0) return 'nothing'
      await reallocateTask(core.transact)({ tenant, payload: { dispatch: mine[random(mine.length)]! } } as unknown as AgendaEntry)
      return 'done'
    case 'nominate': {
      const enrolment = await standing()
      if (!enrolment) return 'nothing'
      const offered = await core.transact((w) => nominate(w, me, { program: program.id, enrolment: enrolment.id, ...window, power_W: 1 + random(12_000) }))
      await core.transact((w) => moveNomination(w, me, offered.id, { to: 'accepted' }))
      return 'accepted'
    }
    case 'leave': {
      const enrolment = await standing()
      if (!enrolment) return 'nothing'
      await core.transact((w) => transition(w, me, enrolment.id, { to: 'withdrawn', ifVersion: enrolment.version }))
      return 'done'
    }
    case 'return': {
      // who was turned away half way goes on from there
      const begun = await place(), e = begun ?? await core.transact((w) => apply(w, me, { program: program.id, servicePoint: resource.servicePoint })), road = ['eligible', 'verified', 'active'] as const
      if (e.state === 'active') return 'nothing'
      for (const to of road.slice(road.findIndex((s) => s === e.state) + 1)) await core.transact((w) => transition(w, me, e.id, { to }))
      return 'done'
    }
    case 'optOut':
      await core.transact((w) => optOut(w, me, { resource: resource.id, from: start, to: forever, reason: 'history', source: 'app' }))
      return 'done'
    case 'optIn': {
      const out = (await database.stores.documents.list<{ endedAt?: number }>(tenant, { kind: 'core/OptOut', order: ['id'], limit: 10_000 })).find((d) => d.body.endedAt === undefined)
      if (!out) return 'nothing'
      await core.transact((w) => optIn(w, me, out.id))
      return 'done'
    }
  }
}

/** CORE-035 of the other way to sell: what an enrolment promised to the market at once is never more than its devices are rated. */
async function nominations({ database, tenant, program, resources }: Scene): Promise<string[]> {
  const accepted: Nomination[] = []
  for (let skip = 0; ; skip += 1000) {
    const page = await database.stores.documents.list<Nomination>(tenant, { kind: nominationKind, parent: program.id, where: { state: 'accepted' }, order: ['id'], skip, limit: 1000 })
    accepted.push(...page.map((d) => d.body))
    if (page.length < 1000) break
  }
  const rated_W = resources[0]!.rated_W, owners = new Set(accepted.map((n) => n.owner.id)), window = { start, end: start + slots * hour }
  return [...owners].flatMap((id) => {
    const most = mostAtOnce(accepted.filter((n) => n.owner.id === id), window)
    return most > rated_W ? [`enrolment ${id} promised ${most} W of ${rated_W} W`] : []
  })
}
