import { LRUCache } from 'lru-cache'
import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'

export interface RefusedRequest {
  readonly caller: string
  readonly method: string
  /** The template of the address, never what the client wrote. */
  readonly href: string
  readonly status: number
}

const every_s = 60

/** SEP-195: one line a minute for a client and a status; the next one says how many were left out. */
export function makeRefusalLog(clock: Pick<Clock, 'now'>, log: Log): (refused: RefusedRequest) => void {
  const said = new LRUCache<string, { at: number; left: number }>({ max: 20_000 })
  return (refused) => {
    const key = `${refused.caller} ${refused.status}`, now = clock.now(), before = said.get(key)
    if (before && now - before.at < every_s) { before.left++; return }
    said.set(key, { at: now, left: 0 })
    log.info({ ...refused, ...(before && before.left > 0 ? { leftOut: before.left } : {}), clause: 'SEP-195' }, 'csip request refused')
  }
}
