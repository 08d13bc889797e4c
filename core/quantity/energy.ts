import { Refusal } from '#core/error.js'

declare const wattHour: unique symbol
/** Energy in whole watt-hours; import positive (CORE-001, CORE-002). */
export type Wh = number & { readonly [wattHour]?: true }

/** Whole watt-hours from a number; throws `invalid` when it is not a safe integer. */
export function wattHours(value: number): Wh {
  if (!Number.isSafeInteger(value)) throw new Refusal('invalid', `energy must be whole watt-hours, got ${value}`)
  return value === 0 ? 0 : value
}

export const toKWh = (energy: Wh): number => energy / 1000
