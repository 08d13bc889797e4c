import { isDeepStrictEqual } from 'node:util'

/**
 * Whether an answer means what was sent, however it is spelled: a time by its instant (`Z`, `+00:00`, with or without fractions, the year 0001 of
 * OpenADR in any of its three forms), a duration by its length (`PT24H`, `P1D`, `P9999Y0M`), a number by its value. Members that the answer has
 * beyond those that were sent are its own: defaults may be written out or left out, unless the standard says which.
 */
export function same(got: unknown, sent: unknown): boolean {
  if (Array.isArray(sent)) return Array.isArray(got) && got.length === sent.length && sent.every((one, i) => same(got[i], one))
  if (typeof sent === 'object' && sent !== null) return typeof got === 'object' && got !== null && !Array.isArray(got) && Object.entries(sent).every(([key, one]) => same((got as Record<string, unknown>)[key], one))
  if (typeof sent === 'string' && typeof got === 'string' && got !== sent) return alike(instantOf, got, sent) || alike(lengthOf, got, sent)
  return isDeepStrictEqual(got, sent)
}

/** Lists without a promised order: the same members, each as often. */
export function sameSet(got: unknown, wanted: readonly unknown[]): boolean {
  if (!Array.isArray(got) || got.length !== wanted.length) return false
  const left = [...got]
  return wanted.every((one) => { const at = left.findIndex((each) => same(each, one)); if (at >= 0) left.splice(at, 1); return at >= 0 })
}

const alike = <T>(read: (text: string) => T | undefined, a: string, b: string): boolean => { const value = read(a); return value !== undefined && value === read(b) }

/** Epoch milliseconds of an RFC 3339 time; of a zone-less one only in the year 0001, where OpenADR has it. */
function instantOf(text: string): number | undefined {
  if (/^0001-01-01(T00:00:00(\.0+)?(Z|[+-]00:00)?)?$/i.test(text)) return Date.parse('0001-01-01T00:00:00Z')
  if (!/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text)) return undefined
  const at = Date.parse(text.replace(' ', 'T'))
  return Number.isNaN(at) ? undefined : at
}

/** ISO 8601 duration as `months|seconds`, since months have no length of their own. */
function lengthOf(text: string): string | undefined {
  const [whole, sign = '', ...parts] = /^([+-]?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text) ?? []
  if (whole === undefined || parts.every((part) => part === undefined)) return undefined
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map((part) => Number(part ?? 0))
  return `${sign === '-' ? '-' : ''}${years * 12 + months}|${((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds}`
}

/** XML Schema values of one meaning: `03` and `3` (hexBinary and integers, in either case, with or without leading zeros), `true` and `1`. Other text is itself. */
export function sameLexical(got: string, wanted: string): boolean {
  if (got === wanted) return true
  const text = got.trim()
  if (wanted === 'true' || wanted === 'false') return text === wanted || text === (wanted === 'true' ? '1' : '0')
  const bare = (value: string): string => value.toUpperCase().replace(/^\+/, '').replace(/^(-?)0+(?=[0-9A-F])/, '$1')
  return /^[+-]?[0-9A-Fa-f]+$/.test(wanted) && bare(text) === bare(wanted)
}
