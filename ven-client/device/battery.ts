import type { Clock } from '#core/port/clock.js'
import { watts, type Device, type Order } from '#ven-client/device.js'
import { energyCounter } from '#ven-client/device/energy-counter.js'

export interface BatteryOptions {
  readonly name: string
  readonly clock: Clock
  readonly rated_W?: number
  readonly capacity_Wh?: number
  readonly stored_Wh?: number
}

/**
 * Example: a battery. DISPATCH_SETPOINT is its power (charging positive), DISPATCH_SETPOINT_RELATIVE counts from rest,
 * CHARGE_STATE_SETPOINT is a fill level in percent of its capacity to reach; it stops by itself when full or empty.
 */
export function battery(options: BatteryOptions): Device & { readonly stored_Wh: number; readonly power_W: number; stop(): void } {
  const { clock } = options
  const rated = options.rated_W ?? 5000, capacity = options.capacity_Wh ?? 13_500
  const counter = energyCounter(clock)
  let stored = options.stored_Wh ?? capacity / 2, at = clock.nowMs(), turn: { cancel(): void } | undefined

  function settle(): void {
    stored = Math.max(0, Math.min(capacity, stored + counter.power_W * (clock.nowMs() - at) / 3_600_000))
    at = clock.nowMs()
  }
  function go(power: number, until_Wh: number): void {
    settle()
    turn?.cancel()
    const left = power > 0 ? Math.max(0, until_Wh - stored) : Math.max(0, stored - until_Wh)
    const clamped = left < 1 ? 0 : Math.max(-rated, Math.min(rated, power))
    counter.set(clamped)
    if (clamped !== 0) turn = clock.after(left / Math.abs(clamped) * 3_600_000, () => go(0, stored))
  }
  return {
    name: options.name,
    follow(order: Order) {
      const fill = order.says.get('CHARGE_STATE_SETPOINT')?.values[0]
      const power = watts(order.says.get('DISPATCH_SETPOINT')) ?? watts(order.says.get('DISPATCH_SETPOINT_RELATIVE'))
      settle()
      if (power !== undefined) go(power, power > 0 ? capacity : 0)
      else if (typeof fill === 'number') go(fill / 100 * capacity > stored ? rated : -rated, Math.max(0, Math.min(100, fill)) / 100 * capacity)
      else go(0, stored)
      return 'follow'
    },
    energy_Wh: (start, end) => counter.energy_Wh(start, end),
    export_Wh: (start, end) => counter.energy_Wh(start, end, 'out') ?? 0,
    report(asked) {
      settle()
      if (asked.payloadType === 'STORAGE_CHARGE_LEVEL') return Math.round(stored / capacity * 1000) / 1000
      if (asked.payloadType === 'STORAGE_USABLE_CAPACITY') return Math.round(stored) / 1000
      return asked.payloadType === 'STORAGE_MAX_DISCHARGE_POWER' || asked.payloadType === 'STORAGE_MAX_CHARGE_POWER' ? rated / 1000 : undefined
    },
    operatingState: () => counter.power_W === 0 ? 'IDLE_NORMAL' : 'RUNNING_NORMAL',
    /** Its own timer would keep a process alive that is done. */
    stop() { turn?.cancel() },
    get stored_Wh() { settle(); return stored },
    get power_W() { return counter.power_W },
  }
}
