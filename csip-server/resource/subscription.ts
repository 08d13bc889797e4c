import { createHash } from 'node:crypto'
import { HttpFault, reason } from '#csip-server/error-map.js'
import { devicePeer } from '#csip-server/identity.js'
import { mayBeNotified } from '#csip-server/notify/destination.js'
import type { Behaviour, Exchange, Value, Written } from '#csip-server/served.js'

const kind = 'csip/Subscription'

/** SEP-033: an absolute address is compared by its path when scheme, host and port are ours: those of our public address, or what the client itself called us. */
export const pathOf = (x: Pick<Exchange, 'host' | 'ctx'>, address: string): string => {
  if (address.startsWith('/')) return address
  const url = parsed(address), origins = [x.ctx.config.publicUrl, x.host === undefined ? null : `https://${x.host}`].map((o) => o === null ? undefined : parsed(o)?.origin)
  if (!url || !origins.includes(url.origin)) throw new HttpFault(400, reason.values)
  return url.pathname
}
const parsed = (text: string): URL | undefined => { try { return new URL(text) } catch { return undefined } }

/**
 * SEP-150, SEP-152, SEP-159: checked when it is made; visibility and destination are asked for again with each delivery. Interpretation: 403 for what is not visible
 * where `foreign` is 403; where it is 404 both that and what does not exist are 400, since the one must look like the other (SEP-190).
 */
async function checked(x: Exchange, value: Value, owner: string): Promise<{ body: Value; seen: string }> {
  if (value.encoding !== 0) throw new HttpFault(400, reason.values)
  const subscribedResource = pathOf(x, String(value.subscribedResource))
  const target = await x.look(devicePeer(owner, 0), subscribedResource).catch((error: unknown) => {
    throw error instanceof HttpFault && error.status === 404 && x.ctx.config.foreign === 404 ? new HttpFault(400, reason.values) : error
  })
  if (!target.served.subscribable) throw new HttpFault(400, reason.values)
  if (value.Condition !== undefined) throw new HttpFault(400, reason.condition)
  if (!await mayBeNotified(String(value.notificationURI), x.ctx.config.notifyAllow)) throw new HttpFault(400, reason.values)
  const { href: _href, ...rest } = value
  return { body: { ...rest, subscribedResource }, seen: target.fingerprint }
}

const keyOf = (value: Value): string => createHash('sha256').update(`${String(value.subscribedResource)}\n${String(value.notificationURI)}`).digest('hex')

/** SEP-151: one subscription for a resource and a destination; a second POST renews the first. */
async function subscribe(x: Exchange, given: Value): Promise<Written> {
  const { documents, tenant, clock } = x.ctx
  const device = x.endDevice
  if (!device) throw new HttpFault(404)
  // SEP-153: in CSIP-AUS all subscriptions of an aggregator hang below its own EndDevice.
  if (x.ctx.config.profile.startsWith('csip-aus') && x.peer.kind === 'device' && device.key !== x.peer.lfdi) throw new HttpFault(403)
  const owner = x.peer.lfdi || String(device.key)
  const { body, seen } = await checked(x, given, owner), key = keyOf(body)
  const known = await documents.byKey<Value>(tenant, kind, device.id, key)
  if (known) {
    await documents.replace<Value>({ ...known, body }, clock.nowMs())
    return { created: false, href: `/edev/${device.id}/sub/${known.id}` }
  }
  const id = x.ctx.ids.hex(8).toUpperCase()
  // What the client has seen so far is kept with it: no change between now and the first look can be missed.
  await documents.insertMany<Value>([
    { tenant, kind: 'csip/SubscriptionState', id, parent: device.id, body: { seen } },
    { tenant, kind, id, parent: device.id, key, owner, body },
  ], clock.nowMs())
  return { created: true, href: `/edev/${device.id}/sub/${id}` }
}

export const subscriptionList: Behaviour = { post: subscribe }

export const subscription: Behaviour = {
  async put(x, given) {
    const { documents, tenant, clock } = x.ctx
    const doc = await documents.get<Value>(tenant, kind, x.params.sub ?? '')
    if (!doc || doc.parent !== x.params.edev) throw new HttpFault(404)
    const { body } = await checked(x, given, doc.owner ?? x.peer.lfdi)
    await documents.replace<Value>({ ...doc, key: keyOf(body), body }, clock.nowMs())
    return { created: false, href: `/edev/${doc.parent}/sub/${doc.id}` }
  },
}
