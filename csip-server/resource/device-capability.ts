import type { Behaviour } from '#csip-server/served.js'

/** SEP-090, SEP-091: only links that answer 200 for this client; one that is not registered sees time and its own (empty) lists. */
export const deviceCapability: Behaviour = {
  async get(x) {
    if (x.peer.kind === 'operator') return {}
    const registered = await x.ctx.documents.count(x.ctx.tenant, { kind: 'csip/EndDevice', owner: x.peer.lfdi })
      || (await x.ctx.documents.byKey(x.ctx.tenant, 'csip/EndDevice', '', x.peer.lfdi) ? 1 : 0)
    if (registered > 0) return {}
    return {
      DERProgramListLink: undefined, ResponseSetListLink: undefined, UsagePointListLink: undefined,
      DemandResponseProgramListLink: undefined, MessagingProgramListLink: undefined, TariffProfileListLink: undefined,
    }
  },
}
