import type { Clock } from '#core/port/clock.js'

/** Failed attempts an address may make in a minute before it has to wait (SEC-003); a success is never counted. */
export function failureThrottle(clock: Clock, perMinute = 10, mostAddresses = 10_000) {
  const failures = new Map<string, number[]>()
  const recent = (address: string): number[] => (failures.get(address) ?? []).filter((at) => at > clock.nowMs() - 60_000)
  return {
    /** Seconds to wait; 0 = go on. */
    wait(address: string): number {
      const list = recent(address)
      return list.length < perMinute ? 0 : Math.max(1, Math.ceil((list[0]! + 60_000 - clock.nowMs()) / 1000))
    },
    failed(address: string): void {
      const list = [...recent(address), clock.nowMs()].slice(-perMinute)
      failures.delete(address)
      failures.set(address, list)
      if (failures.size > mostAddresses) failures.delete(failures.keys().next().value!)
    },
  }
}
