import { serverNow } from './session.ts'
import { locale, t } from './text/index.ts'

/** Making a formatter costs far more than using it: each is made once. */
const made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>()
function once<T extends Intl.NumberFormat | Intl.DateTimeFormat>(key: string, make: () => T): T {
  const name = `${locale} ${key}`
  if (!made.has(name)) made.set(name, make())
  return made.get(name) as T
}

const number = (value: number, digits = 1): string =>
  once(`number ${digits}`, () => new Intl.NumberFormat(locale, { maximumFractionDigits: digits })).format(value === 0 ? 0 : value)

const none = '–'
type Maybe = number | null | undefined
const missing = (n: Maybe): n is null | undefined => n === null || n === undefined || Number.isNaN(n)

/** A number is never torn from its unit at the end of a line. */
const nbsp = '\u00a0'
/** kW below a megawatt, MW above; never without its unit. */
export const power = (kW: Maybe): string => (missing(kW) ? none : Math.abs(kW) >= 1000 ? `${number(kW / 1000, 2)}${nbsp}MW` : `${number(kW)}${nbsp}kW`)
export const energy = (kWh: Maybe): string => (missing(kWh) ? none : Math.abs(kWh) >= 1000 ? `${number(kWh / 1000, 3)}${nbsp}MWh` : `${number(kWh)}${nbsp}kWh`)
export const percent = (share: Maybe): string =>
  missing(share) ? none : new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }).format(share)
export const count = (n: Maybe): string => (missing(n) ? none : number(n, 0))
export const plain = (n: Maybe, digits = 1): string => (missing(n) ? none : number(n, digits))
/** Money is decimal text and stays it: only grouped for reading, never computed with. */
export const money = (amount: string | null | undefined, currency: string): string =>
  amount === null || amount === undefined
    ? none
    : `${new Intl.NumberFormat(locale, { minimumFractionDigits: (amount.split('.')[1] ?? '').length, maximumFractionDigits: (amount.split('.')[1] ?? '').length }).format(amount as unknown as number)} ${currency}`

export type Style = 'time' | 'day' | 'full' | 'second' | 'date'
const styles: Readonly<Record<Style, Intl.DateTimeFormatOptions>> = {
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  date: { day: 'numeric', month: 'short' },
  second: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
  day: { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
  full: { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
}

/** A time in a zone; the caller prints the zone, UTC is for the title of the element. */
export function when(iso: string | number | null | undefined, zone: string, style: Style = 'full'): string {
  if (iso === null || iso === undefined || iso === '') return none
  return once(`${zone} ${style}`, () => new Intl.DateTimeFormat(locale, { timeZone: zone, ...styles[style] })).format(new Date(iso))
}

/** "16:00" and "2026-11-23" in a zone, for fields of a form. */
export function fieldsOf(ms: number, zone: string): { day: string; time: string } {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
      .formatToParts(ms)
      .map((p) => [p.type, p.value]),
  )
  return { day: `${parts.year}-${parts.month}-${parts.day}`, time: `${parts.hour}:${parts.minute}` }
}

export const utc = (iso: string | number): string =>
  new Date(iso)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC')

export function span(ms: number): string {
  const s = Math.round(Math.abs(ms) / 1000)
  if (s < 90) return t('span.seconds', { n: s })
  if (s < 5400) return t('span.minutes', { n: Math.round(s / 60) })
  return s < 172_800 ? t('span.hours', { n: number(s / 3600) }) : t('span.days', { n: number(s / 86_400) })
}

export function age(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000))
  if (s < 3) return t('age.now')
  if (s < 90) return t('age.seconds', { n: s })
  if (s < 5400) return t('age.minutes', { n: Math.round(s / 60) })
  return s < 172_800 ? t('age.hours', { n: Math.round(s / 3600) }) : t('age.days', { n: Math.round(s / 86_400) })
}
export const ageOf = (iso: string | null | undefined): string => (iso ? age(serverNow() - Date.parse(iso)) : t('age.none'))
/** Gaps between words of a list, in the language's way. */
export const listed = (words: readonly string[]): string => new Intl.ListFormat(locale, { type: 'conjunction' }).format(words)

/** What a field `datetime-local` holds, as an instant; undefined while it holds none. */
export function instantIn(local: string, zone: string): string | undefined {
  const wanted = Date.parse(`${local}Z`)
  if (Number.isNaN(wanted)) return undefined
  // what the zone's clock is ahead by, looked at twice: near a change of the clock the first look may be on its other side
  const ahead = (at: number): number => { const f = fieldsOf(at, zone); return Date.parse(`${f.day}T${f.time}Z`) - Math.floor(at / 60_000) * 60_000 }
  const guess = wanted - ahead(wanted)
  return new Date(wanted - ahead(guess)).toISOString()
}
