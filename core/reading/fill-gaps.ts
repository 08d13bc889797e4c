import { LocalCalendar, type DayNumber } from '#core/baseline/calendar.js'
import { dayType } from '#core/baseline/day-type.js'
import type { Stores } from '#core/port/store/index.js'
import type { Channel, Reading, ReadingInput } from '#core/reading/reading.js'
import { estimateGaps, mayRank } from '#core/reading/vee.js'

const day_s = 86_400
/** Like days are looked for this far back. */
const look_s = 60 * day_s

interface Stretch {
  readonly servicePoint: string
  readonly channel: Channel
  readonly step_s: number
  readonly from: number
  readonly to: number
}

/** What one import covers, channel by channel, from its first interval to its last. */
function stretches(rows: readonly ReadingInput[]): Stretch[] {
  const out = new Map<string, { -readonly [K in keyof Stretch]: Stretch[K] }>()
  for (const r of rows) {
    const key = `${r.servicePoint} ${r.channel} ${r.minutes}`, end = r.start + r.minutes * 60, known = out.get(key)
    if (!known) out.set(key, { servicePoint: r.servicePoint, channel: r.channel, step_s: r.minutes * 60, from: r.start, to: end })
    else Object.assign(known, { from: Math.min(known.from, r.start), to: Math.max(known.to, end) })
  }
  return [...out.values()]
}

/** Values of the same clock time on the latest days of the same kind, newest first (CORE-118). */
function likeValues(calendar: LocalCalendar, at: number, valid: (at: number) => number | undefined): number[] {
  const here = calendar.locate(at), type = (d: DayNumber): string => dayType('biz/non', d, false), out: number[] = []
  for (let day = here.day - 1; day > here.day - 60 && out.length < 3; day--) {
    if (type(day) !== type(here.day)) continue
    const value = valid(calendar.instants(day, here.minute)[0] ?? NaN)
    if (value !== undefined) out.push(value)
  }
  return out
}

/**
 * CORE-118 at the intake: gaps between the first and the last interval of what is handed in become estimates, marked as such, which fill totals and
 * never rank a day or pay (CORE-116). A gap that touches an event of the point stays one. `rows` are as they will be stored.
 */
export async function fillGaps(stores: Stores, tenant: string, rows: readonly ReadingInput[]): Promise<ReadingInput[]> {
  const out: ReadingInput[] = [], zones = new Map((await stores.servicePoints.getMany(tenant, [...new Set(rows.map((r) => r.servicePoint))])).map((p) => [p.id, p.timeZone ?? 'UTC']))
  for (const s of stretches(rows)) {
    const stored = await stores.readings.series(tenant, s.servicePoint, s.channel, s.from - look_s, s.to), known = new Map<number, Pick<Reading, 'Wh' | 'quality'>>(stored.map((r) => [r.start, r]))
    for (const r of rows) if (r.servicePoint === s.servicePoint && r.channel === s.channel && r.minutes * 60 === s.step_s) known.set(r.start, r)
    const places = Array.from({ length: (s.to - s.from) / s.step_s }, (_, i) => s.from + i * s.step_s)
    if (places.every((at) => known.has(at))) continue
    const valid = (at: number): number | undefined => { const r = known.get(at); return r && mayRank(r.quality) ? r.Wh : undefined }
    const calendar = new LocalCalendar(zones.get(s.servicePoint) ?? 'UTC', s.step_s / 60), likes = places.map((at) => (known.has(at) ? [] : likeValues(calendar, at, valid)))
    const estimates = estimateGaps({
      // a neighbour that is itself in doubt draws no line
      series: places.map((at) => (known.has(at) ? valid(at) ?? NaN : null)), intervalMinutes: s.step_s / 60,
      likeDays: [0, 1, 2].map((k) => likes.map((values) => values[k] ?? null)), eventSlots: await eventPlaces(stores, tenant, s, places),
    })
    for (const e of estimates) {
      if (e.value === null || Number.isNaN(e.value) || e.quality === 'MISSING') continue
      out.push({ servicePoint: s.servicePoint, channel: s.channel, start: places[e.index]!, minutes: s.step_s / 60, Wh: Math.round(e.value), quality: e.quality, source: 'vee', lineage: 'vee:CORE-118' })
    }
  }
  return out
}

async function eventPlaces(stores: Stores, tenant: string, s: Stretch, places: readonly number[]): Promise<Set<number>> {
  const dispatches = await stores.dispatches.overlapping(tenant, s.from, s.to)
  if (dispatches.length === 0) return new Set()
  const mine = new Set((await stores.resources.list(tenant, { servicePoint: s.servicePoint }, { limit: 1000 })).items.map((r) => r.id)), own = dispatches.filter((d) => d.allocation.some((a) => mine.has(a.resource)))
  return new Set(places.flatMap((at, i) => (own.some((d) => d.start < at + s.step_s && d.end > at) ? [i] : [])))
}
