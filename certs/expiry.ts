import type { Clock, Timer } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'

/** A certificate whose end somebody must hear of in time. */
export interface Watched {
  readonly name: string
  readonly notAfterMs: number
}

export interface ExpiryAlarm extends Watched {
  /** 30, 14, 7 or 1; 0 when it has ended. */
  readonly days: number
}

const day_ms = 86_400_000, marks = [0, 1, 7, 14, 30] as const

/** The nearest mark that has been passed, undefined while there is more time than the first one. */
export const markOf = (notAfterMs: number, nowMs: number): number | undefined => marks.find((days) => notAfterMs - nowMs <= days * day_ms)

/**
 * UX-076: an alarm at 30, 14, 7 and 1 days before the end and when it has come, once for each mark and certificate; looked at once an hour, and at the
 * start, since a process may have slept through a mark. `list` is asked each time: a renewed certificate raises no alarm any more.
 */
export function watchExpiry(needs: { readonly list: () => readonly Watched[] | Promise<readonly Watched[]>; readonly clock: Clock; readonly log: Log; readonly alarm?: (alarm: ExpiryAlarm) => void }): { stop(): void } {
  const { clock, log } = needs, said = new Map<string, number>()
  let timer: Timer | undefined, stopped = false
  async function look(): Promise<void> {
    try {
      for (const { name, notAfterMs } of await needs.list()) {
        const days = markOf(notAfterMs, clock.nowMs()), key = `${name} ${notAfterMs}`
        if (days === undefined || (said.get(key) ?? Infinity) <= days) continue
        said.set(key, days)
        const fields = { certificate: name, notAfter: new Date(notAfterMs).toISOString(), days, clause: 'UX-076' }
        if (days <= 1) log.error(fields, 'a certificate has ended or ends within a day')
        else log.warn(fields, 'a certificate will end')
        needs.alarm?.({ name, notAfterMs, days })
      }
    } catch (error) {
      log.error({ err: error }, 'certificates could not be looked through for their ends')
    }
    if (!stopped) timer = clock.after(3_600_000, () => void look())
  }
  void look()
  return { stop: () => { stopped = true; timer?.cancel() } }
}
