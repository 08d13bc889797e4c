import { Refusal } from '#core/error.js'
import { Exact, fromMinor, toMinor, type Money } from '#core/quantity/money.js'
import { monthFactor, performanceFactor, settledKWh } from '#core/verification/performance.js'
import type { Decimal } from 'decimal.js'

type Amount = number | string

/** CORE-173, CORE-180: reservation = pledged kW × month PF × rate; energy = Σ hourly relief × rate, never below zero for an event. */
export function reservation(input: {
  pledged_kW: Amount; hourlyRelief_kW: readonly (readonly Amount[])[]; reservationRatePerkWMonth: Amount; energyRatePerkWh: Amount; currency: string; lastPF?: string | undefined
}): { eventPF: string[]; monthPF: string; reservation: Money; energy: Money; total: Money } {
  const { pledged_kW, hourlyRelief_kW, currency } = input
  if (new Exact(pledged_kW).lte(0)) throw new Refusal('invalid', 'pledged_kW must be above 0')
  const eventPF = hourlyRelief_kW.map((hours) => {
    const pf = performanceFactor(hours, pledged_kW)
    if (pf === undefined) throw new Refusal('invalid', 'an event without an hour has no performance factor')
    return pf
  })
  const monthPF = monthFactor(eventPF, input.lastPF)
  if (monthPF === undefined) throw new Refusal('invalid', 'a month without event needs the factor of the last test or event (lastPF)')
  const held = toMinor(new Exact(pledged_kW).times(monthPF).times(input.reservationRatePerkWMonth), currency)
  const relief = hourlyRelief_kW.map((hours) => Exact.max(0, hours.reduce<Decimal>((s, kW) => s.plus(settledKWh(kW)), new Exact(0)))).reduce<Decimal>((s, e) => s.plus(e), new Exact(0))
  const energy = toMinor(relief.times(input.energyRatePerkWh), currency)
  return { eventPF, monthPF, reservation: fromMinor(held, currency), energy: fromMinor(energy, currency), total: fromMinor(held + energy, currency) }
}
