/** An ISO 8601 duration: calendar months and exact milliseconds apart, since a month has no fixed length. */
export interface Duration {
  readonly months: number
  readonly ms: number
  /** 9999 years or more: without end (OA-163). */
  readonly endless: boolean
}

const form = /^([-+])?P(?!$)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

export const zero: Duration = { months: 0, ms: 0, endless: false }

/** Undefined when the text is no duration. Infinity is judged by value: `P9999Y0M0DT0H0M0S` is `P9999Y` (OA-163). */
export function parseDuration(text: string): Duration | undefined {
  const found = form.exec(text)
  if (!found) return undefined
  const n = (group: number): number => Number(found[group] ?? 0)
  const sign = found[1] === '-' ? -1 : 1
  const months = n(2) * 12 + n(3)
  const ms = (((n(4) * 7 + n(5)) * 24 + n(6)) * 60 + n(7)) * 60_000 + Math.round(n(8) * 1000)
  return { months: sign * months || 0, ms: sign * ms || 0, endless: sign > 0 && months >= 9999 * 12 }
}

/** Absent or unreadable counts as zero length (OA-163, OA-206); negative has no meaning and counts as zero too (OA-072). */
export function lengthOf(text: string | undefined): Duration {
  const duration = text === undefined ? zero : parseDuration(text) ?? zero
  return duration.months < 0 || duration.ms < 0 ? zero : duration
}

export const isZero = (d: Duration): boolean => d.months === 0 && d.ms === 0 && !d.endless

/** The instant (epoch ms) a duration later; null = never. Months are calendar arithmetic in UTC, clipped to the month's last day. */
export function later(ms: number, d: Duration): number | null {
  if (d.endless) return null
  if (d.months === 0) return ms + d.ms
  const at = new Date(ms)
  const day = at.getUTCDate()
  at.setUTCDate(1)
  at.setUTCMonth(at.getUTCMonth() + d.months)
  at.setUTCDate(Math.min(day, new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate()))
  return at.getTime() + d.ms
}
