import type { Clock } from '#core/port/clock.js'
import { watts, type Device, type Order } from '#ven-client/device.js'
import { energyCounter } from '#ven-client/device/energy-counter.js'

export interface EvChargerOptions {
  readonly name: string
  readonly clock: Clock
  readonly rated_W?: number
  readonly phases?: 1 | 3
}

/**
 * Example: a wallbox. IMPORT_CAPACITY_LIMIT is a ceiling, DISPATCH_SETPOINT_RELATIVE takes from what it draws now; below 6 A a car
 * cannot charge (IEC 61851-1), so it pauses. A driver who pressed "charge now" has opted out.
 */
export function evCharger(options: EvChargerOptions): Device & { readonly power_W: number; plugIn(need_Wh: number): void; unplug(): void; chargeNow(on: boolean): void; stop(): void } {
  const { clock } = options
  const rated = options.rated_W ?? 11_000, least = 6 * 230 * (options.phases ?? 3)
  const counter = energyCounter(clock)
  let left_Wh = 0, at = clock.nowMs(), limit = Infinity, now = false, done: { cancel(): void } | undefined

  function settle(): void {
    left_Wh = Math.max(0, left_Wh - counter.power_W * (clock.nowMs() - at) / 3_600_000)
    at = clock.nowMs()
  }
  function go(): void {
    settle()
    done?.cancel()
    const power = Math.min(rated, now ? Infinity : limit)
    counter.set(left_Wh < 1 || power < least ? 0 : power)
    if (counter.power_W > 0) done = clock.after(left_Wh / counter.power_W * 3_600_000, go)
  }
  return {
    name: options.name,
    follow(order: Order) {
      const ceiling = watts(order.says.get('IMPORT_CAPACITY_LIMIT')), relative = watts(order.says.get('DISPATCH_SETPOINT_RELATIVE'))
      limit = Math.min(ceiling ?? Infinity, relative === undefined ? Infinity : Math.max(0, (left_Wh > 0 ? rated : 0) + relative))
      go()
      return now && order.says.size > 0 ? 'optOut' : 'follow'
    },
    energy_Wh: (start, end) => counter.energy_Wh(start, end),
    operatingState: () => counter.power_W === 0 ? (limit < least ? 'IDLE_CURTAILED' : 'IDLE_NORMAL') : limit < rated ? 'RUNNING_CURTAILED' : 'RUNNING_NORMAL',
    plugIn(need_Wh) { left_Wh = need_Wh; at = clock.nowMs(); go() },
    unplug() { left_Wh = 0; go() },
    chargeNow(on) { now = on; go() },
    /** Its own timer would keep a process alive that is done. */
    stop() { done?.cancel() },
    get power_W() { return counter.power_W },
  }
}
