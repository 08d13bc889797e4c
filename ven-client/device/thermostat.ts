import type { Clock, Timer } from '#core/port/clock.js'
import type { Device, Order } from '#ven-client/device.js'
import { energyCounter } from '#ven-client/device/energy-counter.js'

export interface ThermostatOptions {
  readonly name: string
  readonly clock: Clock
  /** Electric heating power, W, and what one of them warms in an hour. */
  readonly power_W?: number
  readonly comfort_C?: number
  readonly outdoor_C?: () => number
  /** How often it looks at the temperature. */
  readonly step_s?: number
}

/**
 * Example: an electric heater with a thermostat. SIMPLE 1 to 3 lowers the comfort temperature by 1, 2 or 4 degrees,
 * CONTROL_LEVEL_OFFSET moves it by degrees, a price above the usual one by one degree. It opts out of anything below 16 degrees.
 */
export function thermostat(options: ThermostatOptions): Device & { readonly indoor_C: number; readonly target_C: number; stop(): void } {
  const { clock } = options
  const power_W = options.power_W ?? 2000, comfort = options.comfort_C ?? 20, step_ms = (options.step_s ?? 60) * 1000
  const counter = energyCounter(clock)
  let indoor = comfort, target = comfort, at = clock.nowMs(), ordered = false

  /** A house that loses a twentieth of the difference in an hour and gains 2 degrees an hour while it heats. */
  function pass(): void {
    const hours = (clock.nowMs() - at) / 3_600_000
    const heat = counter.power_W / power_W * 2, loss = (indoor - (options.outdoor_C?.() ?? 0)) * 0.05
    indoor += (heat - loss) * hours
    at = clock.nowMs()
    if (indoor < target - 0.2) counter.set(power_W)
    else if (indoor > target + 0.2) counter.set(0)
  }
  let look: Timer
  const run = (): void => { pass(); look = clock.after(step_ms, run) }
  run()

  return {
    name: options.name,
    follow(order: Order) {
      pass()
      const level = order.says.get('SIMPLE')?.values[0], offset = order.says.get('CONTROL_LEVEL_OFFSET')?.values[0], price = order.says.get('PRICE')?.values[0]
      let wanted = comfort
      if (typeof level === 'number') wanted -= [0, 1, 2, 4][Math.max(0, Math.min(3, level))] ?? 0
      if (typeof offset === 'number') wanted += offset
      if (typeof price === 'number' && price > 0.5) wanted -= 1
      if (wanted < 16) return 'optOut'
      ordered = wanted !== comfort
      target = wanted
      pass()
      return 'follow'
    },
    energy_Wh: (start, end) => counter.energy_Wh(start, end),
    operatingState: () => ordered ? 'RUNNING_CURTAILED' : counter.power_W > 0 ? 'RUNNING_NORMAL' : 'IDLE_NORMAL',
    get indoor_C() { return indoor },
    get target_C() { return target },
    stop() { look.cancel() },
  }
}
