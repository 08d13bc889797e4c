import { Decimal } from 'decimal.js'
import { Refusal } from '#core/error.js'

/** Exact decimal amount as text, e.g. "1140.00"; never a float (CORE-007). */
export type Money = string
/** Minor units (cents, yen, fils) as an integer in a bigint. */
export type Minor = bigint

const Exact = Decimal.clone({ precision: 60, rounding: Decimal.ROUND_HALF_UP })
export { Exact }

/** ISO 4217 currencies whose minor unit is not two digits. */
const digits: Readonly<Record<string, number>> = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3, CLF: 4, UYW: 4,
}

/** Decimal places of the currency's minor unit (ISO 4217). */
export function minorDigits(currency: string): number {
  if (!/^[A-Z]{3}$/.test(currency)) throw new Refusal('invalid', `unknown currency '${currency}'`)
  return digits[currency] ?? 2
}

/** Rounded half-up (away from zero) to the currency's minor unit, once per statement line (CORE-007). */
export function toMinor(amount: Decimal.Value, currency: string): Minor {
  const scaled = new Exact(amount).times(new Exact(10).pow(minorDigits(currency)))
  return BigInt(scaled.toFixed(0, Decimal.ROUND_HALF_UP))
}

/** Minor units as the decimal text that goes into JSON: 277200n USD → "2772.00". */
export function fromMinor(minor: Minor, currency: string): Money {
  const places = minorDigits(currency)
  return new Exact(minor.toString()).div(new Exact(10).pow(places)).toFixed(places)
}
