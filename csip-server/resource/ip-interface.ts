import type { Behaviour, Value } from '#csip-server/served.js'

/** The one link of this room that stands inside a part of its resource: neighbours of an 802.15.4 interface. */
export const llInterface: Behaviour = {
  async present(x, doc) {
    const { ctx, params: { edev = '', ns = '' } } = x, radio = doc.body.IEEE_802_15_4 as Value | undefined
    if (!radio) return { ...doc.body }
    const all = await ctx.documents.count(ctx.tenant, { kind: 'csip/Neighbor', parent: `${edev}/${ns}/${doc.id}` })
    return { ...doc.body, IEEE_802_15_4: { ...radio, NeighborListLink: { href: `${ctx.config.prefix}/edev/${edev}/ns/${ns}/ll/${doc.id}/nbh`, all } } }
  },
}
