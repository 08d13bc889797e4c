import { Refusal } from '#core/error.js'
import type { W } from '#core/quantity/power.js'

/** CORE-098: OCPP ampere limit, rounded down to 0.1 A; below 6 A a car cannot charge (IEC 61851), so 0 is sent. */
export function ampereLimit(limit_W: W, voltage: number, phases: number): number {
  if (!(voltage > 0) || !(phases > 0)) throw new Refusal('invalid', 'a current limit needs a voltage and a number of phases above 0')
  const tenths = Math.floor((10 * limit_W) / (voltage * phases))
  return tenths < 60 ? 0 : tenths / 10
}

/**
 * CORE-095: IEEE 2030.5 ActivePower = value × 10^multiplier with an int16 value: the smallest multiplier that fits, and a
 * limit truncates toward zero so that it is never exceeded.
 */
export function activePowerLimit(power: W): { readonly multiplier: number; readonly value: number; readonly exact: boolean } {
  for (let multiplier = 0; multiplier <= 9; multiplier++) {
    const value = Math.trunc(power / 10 ** multiplier) + 0
    if (value >= -32768 && value <= 32767) return { multiplier, value, exact: value * 10 ** multiplier === power }
  }
  throw new Refusal('invalid', `${power} W does not fit an ActivePower`)
}

/** CORE-094: opModTargetW and opModFixedW are positive for delivering to the grid; core is positive for consumption. */
export const deliveringPositive = (setpoint: W): W => 0 - setpoint
