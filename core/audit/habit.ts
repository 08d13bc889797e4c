import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import type { W } from '#core/quantity/power.js'
import type { Work } from '#core/work.js'

/** What one person usually does; one document per person. */
export interface Habit {
  /** Sizes of the last orders, newest first. */
  readonly sizes_W: readonly W[]
  /** How many orders in each hour of the day, UTC. */
  readonly hours: readonly number[]
  /** Times of the last doings of each kind, newest first, epoch ms. */
  readonly recent: Readonly<Partial<Record<Doing['what'], readonly number[]>>>
  /** When each alarm was last raised: one that goes on is told once in its window. */
  readonly alarmed: Readonly<Record<string, number>>
}

export interface Doing {
  readonly what: 'order' | 'cancel' | 'export'
  readonly size_W?: W
  readonly at: number
}

export const habitKind = 'core/Habit'
const none: Habit = { sizes_W: [], hours: Array.from({ length: 24 }, () => 0), recent: {}, alarmed: {} }

const window_ms = 10 * 60_000
/** More than these in ten minutes are unusual for a person. */
const most: Readonly<Record<Doing['what'], number>> = { order: 20, cancel: 10, export: 10 }
/** An order is unusual beyond so many times the largest of the last fifty; below five nothing is usual yet. */
const times = 3, known = 5, kept = 50
/** An hour is unusual when twenty orders were given and none within an hour of it. */
const enough = 20

/** SEC-069, pure: what is unusual about a doing, and the habit after it. The figures are ours: no standard names any. */
export function judged(habit: Habit, doing: Doing): { readonly habit: Habit; readonly unusual: readonly string[] } {
  const { what, size_W, at } = doing, hour = new Date(at).getUTCHours(), recent = [at, ...habit.recent[what] ?? []].filter((then) => at - then < window_ms)
  const found: [string, string][] = [], largest = Math.max(0, ...habit.sizes_W), orders = habit.hours.reduce((sum, n) => sum + n, 0)
  if (recent.length > most[what]) found.push(['rate', `${recent.length} ${what}s in ten minutes`])
  if (size_W !== undefined && habit.sizes_W.length >= known && size_W > times * largest) found.push(['size', `${size_W} W, the largest so far were ${largest} W`])
  if (what === 'order' && orders >= enough && [23, 0, 1].every((near) => habit.hours[(hour + near) % 24] === 0)) found.push(['hour', `${hour}:00 UTC, never before near that hour`])
  const fresh = found.filter(([kind]) => at - (habit.alarmed[`${what} ${kind}`] ?? -Infinity) >= window_ms)
  return {
    unusual: fresh.map(([kind, detail]) => `${what} of unusual ${kind}: ${detail}`),
    habit: {
      sizes_W: size_W === undefined ? habit.sizes_W : [size_W, ...habit.sizes_W].slice(0, kept),
      hours: what === 'order' ? habit.hours.map((n, h) => (h === hour ? n + 1 : n)) : habit.hours,
      recent: { ...habit.recent, [what]: recent.slice(0, most[what] + 1) },
      alarmed: { ...habit.alarmed, ...Object.fromEntries(fresh.map(([kind]) => [`${what} ${kind}`, at])) },
    },
  }
}

/** SEC-069: an alarm in the trail, and so to the webhooks that want it, in the transaction of what is unusual. People have habits; the server has none. */
export async function watchHabit(work: Work, caller: Caller, doing: Omit<Doing, 'at'>): Promise<void> {
  if (caller.kind !== 'user') return
  const { stores, clock } = work, { tenant, user } = caller, stored = await stores.documents.byKey<Habit>(tenant, habitKind, '', user)
  const { habit, unusual } = judged(stored?.body ?? none, { ...doing, at: clock.nowMs() })
  await stores.documents.insertMany<Habit>([{ tenant, kind: habitKind, id: stored?.id ?? work.ids.uuid(), parent: '', key: user, body: habit }], clock.nowMs(), { onConflict: 'replace', quiet: true })
  await note(work, caller, unusual.map((reason) => ({ action: 'alarm.unusual', entity: `user:${user}`, reason })))
}
