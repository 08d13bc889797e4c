import type { Codec } from '#csip-server/codec.js'
import type { CsipContext } from '#csip-server/context.js'
import type { Doc, Seen, Value } from '#csip-server/served.js'
import { Notification } from '#csip-server/wire/subscription.js'

/** Notification.status (SEP-154) of a subscription that ended. */
type Ended = 1

/** SEP-154, SEP-155: what a GET would give, from its start, cut at the subscriber's limit; status 0 = changed, 1 = cancelled, 4 = deleted. */
export function makeNotification(ctx: Pick<CsipContext, 'config'>, codec: Codec, baseUrl: () => string) {
  return (doc: Doc, carried: Seen | undefined, ended?: Ended): Buffer => {
    const limit = Math.min(Number(doc.body.limit), ctx.config.listMax), seen = carried?.value, lists = carried?.served.resource.lists
    const value: Value = {
      subscribedResource: doc.body.subscribedResource, status: ended ?? (seen ? 0 : 4),
      subscriptionURI: `${baseUrl()}${ctx.config.prefix}/edev/${doc.parent}/sub/${doc.id}`,
    }
    if (carried && seen && lists) {
      const members = ((seen[lists.member] as Value[] | undefined) ?? []).slice(0, limit)
      value.Resource = { type: carried.served.resource.name, ...seen, results: members.length, [lists.member]: members }
    } else if (carried && seen && limit > 0) value.Resource = { type: carried.served.resource.name, ...seen }
    return codec.write(Notification, value)
  }
}
