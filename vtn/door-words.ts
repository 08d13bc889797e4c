import type { Fault } from '#core/error.js'

/** What the checker says of its patterns and formats, for somebody who does not have the schema at hand. */
const words: readonly (readonly [RegExp, string])[] = [
  [/^must match format "date-time"/, 'must be an RFC 3339 time with its zone, such as 2026-07-01T16:00:00Z'],
  [/^must match (format "iso-duration"|pattern "\^\(-\?\)P)/, 'must be an ISO 8601 duration, such as PT15M'],
]

/** Each fault once, in plain words; that no form of a union fits is only said where nothing says why. */
export function inWords(faults: readonly Fault[]): readonly Fault[] {
  const seen = new Set<string>()
  const said = faults.map((f) => ({ ...f, reason: words.find(([pattern]) => pattern.test(f.reason))?.[1] ?? f.reason }))
    .filter((f) => { const key = `${f.path} ${f.reason}`; return !seen.has(key) && seen.add(key) })
  const why = said.filter((f) => !f.reason.includes('a schema in anyOf'))
  return why.length ? why : said
}
