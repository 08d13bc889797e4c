import type { Behaviour } from '#csip-server/served.js'

/** SEP-090, SEP-091: only links that answer 200 for this client; one that is not registered, or disabled, sees time and its own (empty) lists. */
export const deviceCapability: Behaviour = {
  async get(x) {
    if (x.peer.kind === 'operator') return {}
    const own = await x.devices.byLfdi(x.peer.lfdi)
    const manages = own === undefined && await x.ctx.documents.count(x.ctx.tenant, { kind: 'csip/EndDevice', owner: x.peer.lfdi }) > 0
    if (manages || (own && own.body.enabled !== false)) return {}
    return {
      DERProgramListLink: undefined, ResponseSetListLink: undefined, UsagePointListLink: undefined,
      DemandResponseProgramListLink: undefined, MessagingProgramListLink: undefined, TariffProfileListLink: undefined,
    }
  },
}
