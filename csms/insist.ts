import { isRefusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import { inTurn } from './in-turn.js'

/**
 * Does something until it is done, e.g. tells the core what a station will not say again. What has the same key is done in turn, so that words
 * about one delivery keep their order. Resolves when it is done, or given up because it was refused for what it is.
 */
export type Insist = (key: string, work: () => Promise<void>, what: string) => Promise<void>

/** Waits of the machine's time: the database, not the grid, is what is waited for. */
const first_ms = 250, longest_ms = 60_000

export function insisting({ clock, log }: { clock: Clock; log: Log }): Insist {
  const turns = inTurn<string>()

  async function until(key: string, work: () => Promise<void>, what: string): Promise<void> {
    for (let wait = first_ms; ; wait = Math.min(2 * wait, longest_ms)) {
      try {
        return await work()
      } catch (error) {
        const given = isRefusal(error) && error.kind !== 'unavailable'
        log.error({ err: error, key, what }, given ? 'refused' : 'not done yet; it is tried again')
        if (given) return
      }
      await new Promise<void>((over) => { clock.after(wait * clock.rate, over) })
    }
  }

  return (key, work, what) => turns(key, () => until(key, work, what))
}
