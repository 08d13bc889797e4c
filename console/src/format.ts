import { locale, t } from './text/index.ts'

const number = (value: number, digits = 1): string => new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)

/** kW below a megawatt, MW above; never without its unit. */
export const power = (kW: number | null | undefined): string => kW === null || kW === undefined ? '–' : Math.abs(kW) >= 1000 ? `${number(kW / 1000, 2)} MW` : `${number(kW)} kW`
export const energy = (kWh: number | null | undefined): string => kWh === null || kWh === undefined ? '–' : Math.abs(kWh) >= 1000 ? `${number(kWh / 1000, 2)} MWh` : `${number(kWh)} kWh`
export const percent = (share: number | null | undefined): string => share === null || share === undefined ? '–' : new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }).format(share)
export const count = (n: number): string => number(n, 0)
export const money = (amount: string, currency: string): string => `${amount} ${currency}`

/** A time in the program's zone, the zone printed; UTC is for the title of the element. */
export function when(iso: string | number | null | undefined, zone: string, withDay = true): string {
  if (iso === null || iso === undefined || iso === '') return '–'
  const options: Intl.DateTimeFormatOptions = { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...(withDay ? { weekday: 'short', day: 'numeric', month: 'short' } : {}) }
  return new Intl.DateTimeFormat(locale, options).format(new Date(iso))
}

export const utc = (iso: string | number): string => new Date(iso).toISOString().replace('T', ' ').replace(/\.\d+Z$/, ' UTC')

export function age(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000))
  if (s < 3) return t('age.now')
  if (s < 90) return t('age.seconds', { n: s })
  return s < 5400 ? t('age.minutes', { n: Math.round(s / 60) }) : t('age.hours', { n: Math.round(s / 3600) })
}
