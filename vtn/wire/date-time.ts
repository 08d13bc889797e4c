/** OpenADR 3.1 Definition, "now": the three spellings of year 0001 that stand for it; returned as sent (openadr3.md §4). */
export const isNow = (text: string): boolean => /^0001-01-01(T00:00:00(\.0+)?(Z|[+-]00:00)?)?$/i.test(text)

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):(\d\d):(\d\d)(\.\d+)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i
const leap = /:60(?=\.\d|Z|[+-])/i

/** Epoch ms of RFC 3339 text, NaN for other text. A leap second is the second after it, as POSIX time has none (REL-037). */
export function instantOf(text: string): number {
  return leap.test(text) ? Date.parse(text.replace(leap, ':59')) + 1000 : Date.parse(text)
}

/** RFC 3339 with zone, on a day that exists; `Date.parse` alone would roll 30 February over. Hour 24 is ISO 8601's, not RFC 3339's. */
export function isDateTime(text: string): boolean {
  if (isNow(text)) return true
  const m = rfc3339.exec(text), at = instantOf(text)
  if (!m || Number.isNaN(at)) return false
  // RFC 3339 §5.7: second 60 comes at the end of a month in UTC only.
  if (m[6] === '60' && !new Date(Math.floor(at / 1000) * 1000).toISOString().endsWith('-01T00:00:00.000Z')) return false
  return Number(m[3]) <= new Date(Date.UTC(Number(m[1]), Number(m[2]), 0)).getUTCDate()
}

/** openadr3.md §4: any offset is read, answers are in UTC with `Z`; text that is in UTC already stays letter for letter. */
export function inUtc(given: string): string {
  // RFC 3339 §5.6 lets `t` and `z` be small; readers that do not know that are spared them.
  const text = given.toUpperCase()
  if (isNow(given)) return given
  if (text.endsWith('Z')) return text
  const iso = new Date(Date.parse(text.replace(leap, ':59'))).toISOString()
  const second = leap.test(text) ? iso.replace(/:59\./, ':60.') : iso
  return /\.\d+(Z|[+-])/i.test(text) ? second : second.replace('.000Z', 'Z')
}
