import { Refusal } from '#core/error.js'

declare const watt: unique symbol
/** Power in whole watts; consumption is positive, export negative (CORE-001, CORE-002). */
export type W = number & { readonly [watt]?: true }

/** Whole watts from a number; throws `invalid` when it is not a safe integer. */
export function watts(value: number): W {
  if (!Number.isSafeInteger(value)) throw new Refusal('invalid', `power must be whole watts, got ${value}`)
  return value === 0 ? 0 : value
}

/** Watts from kW as an interface states them: rounded to the nearest watt once, here. */
export function wattsFromKW(kW: number): W {
  if (!Number.isFinite(kW)) throw new Refusal('invalid', `power must be a finite number of kW, got ${kW}`)
  return watts(Math.round(kW * 1000))
}

export const toKW = (power: W): number => power / 1000
