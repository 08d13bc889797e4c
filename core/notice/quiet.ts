import { DateTime } from 'luxon'

/** Local hours in which nobody is disturbed, `[from, to)`; over midnight when `to` is the earlier one. */
export interface QuietHours {
  readonly from: string
  readonly to: string
}

const minuteOf = (text: string): number => {
  const m = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text)
  return m ? Number(m[1]) * 60 + Number(m[2]) : NaN
}

export function quietFault({ from, to }: QuietHours, zone: string): string | undefined {
  if (Number.isNaN(minuteOf(from)) || Number.isNaN(minuteOf(to))) return 'needs local times like 21:00'
  if (from === to) return 'would be the whole day'
  return DateTime.utc().setZone(zone).isValid ? undefined : `has no zone '${zone}'`
}

/** The first moment from `atMs` on at which a message may go out: `atMs` itself outside quiet hours. */
export function afterQuiet(atMs: number, quiet: QuietHours | null, zone: string): number {
  if (!quiet) return atMs
  const local = DateTime.fromMillis(atMs, { zone }), minute = local.hour * 60 + local.minute, from = minuteOf(quiet.from), to = minuteOf(quiet.to)
  const inside = from < to ? minute >= from && minute < to : minute >= from || minute < to
  if (!inside) return atMs
  const end = local.startOf('day').plus({ days: minute < to ? 0 : 1 }).set({ hour: Math.floor(to / 60), minute: to % 60 })
  return end.toMillis()
}
