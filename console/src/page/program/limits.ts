import { count, listed, percent, power, span } from '../../format.ts'
import { knows, t, type Key } from '../../text/index.ts'

const asked: Readonly<Record<string, (v: never) => string>> = {
  minNotice_s: (v: number) => span(v * 1000),
  maxDuration_s: (v: number) => span(v * 1000),
  minRest_s: (v: number) => span(v * 1000),
  twoPersonAbove_kW: (v: number) => power(v),
  maxOrder_kW: (v: number) => power(v),
  maxOverDelivery_kW: (v: number) => power(v),
  maxShareOfAvailability: (v: number) => percent(v),
  hours: (v: readonly [number, number]) => `${v[0]}:00–${v[1]}:00`,
  weekdays: (v: readonly number[]) => listed(v.map((d) => t(`weekday.${d}` as Key))),
}

/** One rule of a program as a person would say it; a rule that the console does not know is shown as it is stored. */
export function limitWords(name: string, value: unknown): string {
  const shown = asked[name]?.(value as never) ?? (typeof value === 'number' ? count(value) : typeof value === 'string' ? value : JSON.stringify(value))
  return knows('limit', name) ? `${t(`limit.${name}` as Key)}: ${shown}` : `${name}: ${shown}`
}
