import { DateTime } from 'luxon'
import type { Behaviour } from '#csip-server/served.js'

interface Zone { readonly tzOffset: number; readonly dstOffset: number; readonly dstStartTime: number; readonly dstEndTime: number }

const offsetAt = (zone: string, at: number): number => DateTime.fromSeconds(at, { zone }).offset * 60

/** The first instant in (from, to] from which the offset is another; half-hour steps narrow to a second. */
function changeWithin(zone: string, from: number, to: number): number {
  let low = from, high = to
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(zone, middle) === offsetAt(zone, from)) low = middle
    else high = middle
  }
  return high
}

/** SEP-092: the standard offset of the year and this year's change to and from summer time, in UTC; zeros without one. */
export function zoneOf(zone: string, now: number): Zone {
  const year = DateTime.fromSeconds(now, { zone }).year
  const months = Array.from({ length: 13 }, (_, m) => DateTime.fromObject({ year: year + Math.floor(m / 12), month: (m % 12) + 1 }, { zone: 'UTC' }).toSeconds())
  const tzOffset = Math.min(...months.map((m) => offsetAt(zone, m)))
  let dstStartTime = 0, dstEndTime = 0, dstOffset = 0
  for (let i = 0; i < 12; i++) {
    const from = months[i] as number, to = months[i + 1] as number
    const before = offsetAt(zone, from), after = offsetAt(zone, to)
    if (after > before) { dstStartTime = changeWithin(zone, from, to); dstOffset = after - before }
    if (after < before) dstEndTime = changeWithin(zone, from, to)
  }
  return { tzOffset, dstOffset, dstStartTime, dstEndTime }
}

const summer = (z: Zone, now: number): boolean => z.dstStartTime < z.dstEndTime
  ? now >= z.dstStartTime && now < z.dstEndTime
  : z.dstOffset > 0 && (now >= z.dstStartTime || now < z.dstEndTime)

export const time: Behaviour = {
  async get(x) {
    const now = x.ctx.clock.now()
    const zone = await x.ctx.recall('csip/Time', `zone ${DateTime.fromSeconds(now).year}`, async () => zoneOf(x.ctx.config.timeZone, now))
    x.until(now + 1)
    return {
      currentTime: now, dstEndTime: zone.dstEndTime, dstOffset: zone.dstOffset, dstStartTime: zone.dstStartTime,
      localTime: now + zone.tzOffset + (summer(zone, now) ? zone.dstOffset : 0), quality: x.ctx.config.timeQuality, tzOffset: zone.tzOffset,
    }
  },
}
