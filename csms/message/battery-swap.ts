import type { Clock } from '#core/port/clock.js'
import { atMost } from '#csms/at-most.js'
import { handler, type Handler } from '#csms/handler.js'
import type { Journal } from '#csms/journal.js'
import type { Payments } from '#csms/payments.js'

interface Swap {
  readonly eventType: string
  readonly requestId: number
  readonly batteryData: readonly object[]
}

/** S01…S03 of 2.1: batteries in and out, kept as told. Offered only where somebody hears of them. */
export function batterySwap({ clock, journal, payments = {} }: { clock: Clock; journal: Journal; payments?: Payments }): Handler[] {
  return [handler<Swap>('BatterySwap', async (station, swap) => {
    await journal.keep({ tenant: station.tenant, kind: 'csms/BatterySwap', from: station.identity, at: clock.now(), body: swap }, [])
    await atMost(clock, 20_000, payments.swapped?.({ ...swap, station: station.identity }))
    return {}
  }, ['2.1'])]
}
