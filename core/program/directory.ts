import { LRUCache } from 'lru-cache'
import type { ResourceDirectory } from '#core/port/intake.js'
import type { Clock } from '#core/port/clock.js'
import type { Stores } from '#core/port/store/index.js'
import type { Resource } from '#core/program/resource.js'

/** Seconds of machine time that an answer may be old in a process that did not make the change itself. */
const freshFor_s = 5

/** Who a remote device is, from memory for a few seconds: every report of every device asks. */
export function resourceDirectory(stores: Pick<Stores, 'resources'>, clock: Clock): ResourceDirectory & { forget(): void } {
  const cache = new LRUCache<string, { at: number; resource: Resource | undefined }>({ max: 50_000 })
  return {
    async byRemote(tenant, protocol, remoteId, evseId) {
      const key = `${tenant}\n${protocol}\n${remoteId}\n${evseId ?? ''}`, hit = cache.get(key), now = clock.nowMs()
      if (hit && now - hit.at < freshFor_s * 1000 * clock.rate) return hit.resource
      const resource = await stores.resources.byRemote(tenant, protocol, remoteId, evseId)
      cache.set(key, { at: now, resource })
      return resource
    },
    forget: () => cache.clear(),
  }
}
