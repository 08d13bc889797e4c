import { Subscription } from '#csip-server/wire/subscription.js'
import type { EndDeviceValue } from '#ven-client/csip/discover.js'
import { CsipError, type CsipWire } from '#ven-client/csip/transport.js'
import type { Log } from '#ven-client/log.js'

export interface CsipPush {
  /** Where the server posts, e.g. what `notificationServer` listens on. */
  readonly uri: string
  /** A subscription is a lease: it is renewed when this old. Default 12 h, a third of the usual lease (SEP-160). */
  readonly renewEvery_s?: number
}

export interface Subscriptions {
  /** Subscribes to what is new, renews what is old, drops what is no longer asked for. */
  keep(resources: readonly string[], now_ms: number): Promise<void>
  /** Resources that the server tells us of; the others are only polled. */
  readonly by: readonly string[]
  end(): Promise<void>
}

/**
 * SEP-150, SEP-151: one subscription for each resource, below our own EndDevice (an aggregator's too, SEP-153). A notification is a hint to poll;
 * polling goes on beside it, so that a lost one costs at most a poll interval (REL-053). A refused resource is polled only.
 */
export function subscriptions(wire: CsipWire, list: () => EndDeviceValue['SubscriptionListLink'], push: CsipPush, log: Log): Subscriptions {
  const held = new Map<string, { location: string | undefined; at: number }>()
  const renewEvery_ms = (push.renewEvery_s ?? 43_200) * 1000

  async function subscribe(to: string, resource: string, now: number): Promise<void> {
    try {
      const { location } = await wire.write('POST', Subscription, to, { subscribedResource: resource, encoding: 0, level: '+S1', limit: 0, notificationURI: push.uri })
      held.set(resource, { location, at: now })
    } catch (error) {
      const refused = error instanceof CsipError && error.status >= 400 && error.status < 500 && error.status !== 429
      if (!refused) throw error
      log.warn({ resource, status: error.status }, 'the server does not notify of this: it is polled')
      held.set(resource, { location: undefined, at: now })
    }
  }

  async function unsubscribe(resource: string): Promise<void> {
    const { location } = held.get(resource) ?? {}
    held.delete(resource)
    if (location) await wire.remove(location).catch((error: unknown) => log.debug({ resource, error: (error as Error).message }, 'subscription left behind'))
  }

  return {
    async keep(resources, now) {
      const to = list()?.href
      if (to === undefined) return
      for (const resource of held.keys()) if (!resources.includes(resource)) await unsubscribe(resource)
      for (const resource of resources) if (now - (held.get(resource)?.at ?? -Infinity) >= renewEvery_ms) await subscribe(to, resource, now)
    },
    get by() { return [...held].filter(([, h]) => h.location !== undefined).map(([resource]) => resource) },
    async end() { for (const resource of held.keys()) await unsubscribe(resource) },
  }
}
