import { DateTime } from 'luxon'
import type { Program } from '#core/program/program.js'
import type { Instant, Interval } from '#core/quantity/interval.js'
import type { W } from '#core/quantity/power.js'

/** A check that refuses, in words an operator can act on (contract §6). */
export interface FailedCheck {
  readonly check: string
  readonly detail: string
}

export interface CheckInput {
  readonly program: Pick<Program, 'limits' | 'timeZone' | 'direction' | 'intervalMinutes' | 'state'>
  readonly window: Interval
  /** In load: negative asks for less import. */
  readonly delta_W: W
  readonly now: Instant
  /** Windows of the program's other events that were not cancelled, any time in the season. */
  readonly earlier: readonly Interval[]
  /** Sum of P50 in the asked direction over everything that could take part. */
  readonly available_W: W
}

type Check = (input: CheckInput, start: DateTime, end: DateTime) => string | undefined

/** CORE-050, one line each; CORE-054: notice in elapsed seconds, call limits in local days, an event counts on its start day. */
const checks: Readonly<Record<string, Check>> = {
  programOpen: ({ program }) => (program.state === 'open' ? undefined : `the program is ${program.state}`),
  notPast: ({ window, now }) => (window.end > now ? undefined : 'the window is over'),
  direction: ({ program, delta_W }) =>
    program.direction === 'both' || (program.direction === 'down') === (delta_W < 0) ? undefined : `the program only asks ${program.direction}`,
  minNotice: ({ program: { limits }, window, now }) =>
    !limits.minNotice_s || window.start - now >= limits.minNotice_s ? undefined
      : `${Math.max(0, window.start - now)} s of notice, the program needs ${limits.minNotice_s} s`,
  maxDuration: ({ program: { limits }, window }) =>
    limits.maxDuration_s === undefined || window.end - window.start <= limits.maxDuration_s ? undefined
      : `${window.end - window.start} s long, the program allows ${limits.maxDuration_s} s`,
  allowedHours: ({ program: { limits } }, start, end) => {
    if (!limits.hours) return undefined
    const [from, to] = limits.hours
    const day = start.startOf('day')
    const ok = start >= day.set({ hour: from }) && end <= (to >= 24 ? day.plus({ days: 1 }) : day.set({ hour: to }))
    return ok ? undefined : `${start.toFormat('HH:mm')} to ${end.toFormat('HH:mm')} local, the program runs from ${from}:00 to ${to}:00`
  },
  allowedWeekdays: ({ program: { limits } }, start) =>
    !limits.weekdays || limits.weekdays.includes(start.weekday) ? undefined : `${start.toFormat('cccc')} is not a day of the program`,
  seasonDates: ({ program: { limits } }, start) => {
    const day = start.toISODate() ?? '', { seasonFrom, seasonTo } = limits
    return (seasonFrom && day < seasonFrom) || (seasonTo && day > seasonTo)
      ? `${day} is outside the season ${seasonFrom ?? '…'} to ${seasonTo ?? '…'}` : undefined
  },
  maxEventsPerDay: (input, start) => tooMany(input, start, 'day', input.program.limits.maxEventsPerDay),
  maxEventsPerMonth: (input, start) => tooMany(input, start, 'month', input.program.limits.maxEventsPerMonth),
  maxEventsPerSeason: ({ program: { limits, timeZone }, earlier }) => {
    if (limits.maxEventsPerSeason === undefined) return undefined
    const from = limits.seasonFrom, to = limits.seasonTo
    const count = earlier.filter((e) => {
      const day = DateTime.fromSeconds(e.start, { zone: timeZone }).toISODate() ?? ''
      return (!from || day >= from) && (!to || day <= to)
    }).length
    return count < limits.maxEventsPerSeason ? undefined : `${count} events this season, the program allows ${limits.maxEventsPerSeason}`
  },
  minRest: ({ program: { limits }, window, earlier }) => {
    if (limits.minRest_s === undefined) return undefined
    const rest = limits.minRest_s
    const near = earlier.find((e) => window.start < e.end + rest && e.start < window.end + rest)
    return near ? `less than ${rest} s from the event that starts ${new Date(near.start * 1000).toISOString()}` : undefined
  },
  // Interpretation: CORE-050 "target <= P50 availability x limit" binds where the program sets the limit; without one an
  // order that is too large is taken with its shortfall stated (CORE-067, CORE-035)
  availability: ({ program: { limits }, delta_W, available_W }) => {
    const share = limits.maxShareOfAvailability
    if (available_W <= 0) return 'nothing is available for this window'
    return share === undefined || Math.abs(delta_W) <= available_W * share ? undefined
      : `${Math.abs(delta_W)} W asked, ${Math.floor(available_W * share)} W may be (availability ${available_W} W x ${share})`
  },
}

function tooMany({ program, earlier }: CheckInput, start: DateTime, unit: 'day' | 'month', limit: number | undefined): string | undefined {
  if (limit === undefined) return undefined
  const count = earlier.filter((e) => DateTime.fromSeconds(e.start, { zone: program.timeZone }).hasSame(start, unit)).length
  return count < limit ? undefined : `${count} events that ${unit}, the program allows ${limit}`
}

/** An emergency may not override what cannot be done at all. */
export const neverOverridden: ReadonlySet<string> = new Set(['programOpen', 'notPast', 'direction'])
export const checkNames: readonly string[] = Object.keys(checks)

/** CORE-050: every failing check at once, less the ones an emergency names. */
export function publishingChecks(input: CheckInput, emergency: readonly string[] = []): { failed: FailedCheck[]; overridden: FailedCheck[] } {
  const zone = input.program.timeZone
  const start = DateTime.fromSeconds(input.window.start, { zone }), end = DateTime.fromSeconds(input.window.end, { zone })
  const all = Object.entries(checks).flatMap(([check, ask]) => {
    const detail = ask(input, start, end)
    return detail === undefined ? [] : [{ check, detail }]
  })
  const forgiven = (c: FailedCheck): boolean => emergency.includes(c.check) && !neverOverridden.has(c.check)
  return { failed: all.filter((c) => !forgiven(c)), overridden: all.filter(forgiven) }
}
