import { note } from '#core/audit/note.js'
import type { Caller } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import type { Stores } from '#core/port/store/index.js'
import type { Instant, Interval } from '#core/quantity/interval.js'
import type { Work } from '#core/work.js'

export const weatherKind = 'core/WeatherDay'
const day_s = 86_400

/** One UTC day of one station: mean degrees Celsius of each interval, null = not there. */
export interface WeatherDay {
  readonly minutes: number
  readonly celsius: readonly (number | null)[]
}

export interface WeatherRow {
  readonly start: Instant
  readonly celsius: number
}

/** Takes a series in; a later value for the same interval is the one that counts. */
export async function storeWeather(work: Work, caller: Caller, station: string, minutes: number, rows: readonly WeatherRow[]): Promise<{ accepted: number; days: number }> {
  const faults = rows.flatMap((r, i) => [
    ...(r.start % (minutes * 60) === 0 ? [] : [{ path: `${i + 1}/start`, reason: `is not aligned to ${minutes} minutes` }]),
    ...(Number.isFinite(r.celsius) && r.celsius > -90 && r.celsius < 65 ? [] : [{ path: `${i + 1}/celsius`, reason: 'is no air temperature in degrees Celsius' }]),
  ])
  if (faults.length > 0) throw new Refusal('invalid', `${faults.length} values cannot be stored; nothing was`, { faults })
  const { stores, clock, ids } = work, byDay = new Map<number, WeatherRow[]>()
  for (const r of rows) byDay.set(Math.floor(r.start / day_s), [...(byDay.get(Math.floor(r.start / day_s)) ?? []), r])
  for (const [day, some] of byDay) {
    const key = `${station}/${day}`, before = await stores.documents.byKey<WeatherDay>(caller.tenant, weatherKind, station, key)
    if (before && before.body.minutes !== minutes) throw new Refusal('conflict', `station '${station}' has values every ${before.body.minutes} minutes on that day`)
    const celsius = [...(before?.body.celsius ?? Array.from({ length: day_s / (minutes * 60) }, () => null))]
    for (const r of some) celsius[(r.start % day_s) / (minutes * 60)] = r.celsius
    const body: WeatherDay = { minutes, celsius }
    if (before) await stores.documents.replace<WeatherDay>({ ...before, body }, clock.nowMs(), before.version)
    else await stores.documents.insert<WeatherDay>({ tenant: caller.tenant, kind: weatherKind, id: ids.uuid(), parent: station, key, sort1: day, body }, clock.nowMs())
  }
  await note(work, caller, [{ action: 'weather.store', entity: station, reason: `${rows.length} values on ${byDay.size} days` }])
  return { accepted: rows.length, days: byDay.size }
}

/** By instant on a grid of `step_s`: coarser weather holds for each of its intervals, finer weather is averaged. */
export async function temperatures(stores: Stores, tenant: string, station: string, span: Interval, step_s: number): Promise<Map<Instant, number>> {
  const days = await stores.documents.list<WeatherDay>(tenant, { kind: weatherKind, parent: station, sort1From: Math.floor(span.start / day_s), sort1To: Math.floor(span.end / day_s), order: ['sort1'], limit: 1000 })
  const sums = new Map<Instant, { sum: number; n: number }>()
  for (const { sort1, body } of days) {
    const own_s = body.minutes * 60
    body.celsius.forEach((c, i) => {
      if (c === null) return
      const from = sort1 * day_s + i * own_s
      for (let at = Math.floor(from / step_s) * step_s; at < from + own_s; at += step_s) {
        const known = sums.get(at) ?? { sum: 0, n: 0 }
        sums.set(at, { sum: known.sum + c, n: known.n + 1 })
      }
    })
  }
  return new Map([...sums].map(([at, { sum, n }]) => [at, sum / n]))
}
