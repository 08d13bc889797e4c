import type { Behaviour } from '#csip-server/served.js'
import { DeviceCapability } from '#csip-server/wire/device-capability.js'

/** What answers 200 to anybody with a trusted certificate (SEP-091); every other link needs a registered device behind it. */
const forAll = new Set(['TimeLink', 'EndDeviceListLink', 'MirrorUsagePointListLink', 'SelfDeviceLink'])
const hidden = Object.fromEntries(Object.keys(DeviceCapability.schema.properties).filter((m) => m.endsWith('Link') && !forAll.has(m)).map((m) => [m, undefined]))

/** SEP-090, SEP-091: only links that answer 200 for this client; one that is not registered, or disabled, sees time and its own (empty) lists. */
export const deviceCapability: Behaviour = {
  async get(x) {
    if (x.peer.kind === 'operator') return {}
    const own = await x.devices.byLfdi(x.peer.lfdi)
    const manages = own === undefined && await x.ctx.documents.count(x.ctx.tenant, { kind: 'csip/EndDevice', owner: x.peer.lfdi }) > 0
    return manages || (own && own.body.enabled !== false) ? {} : { ...hidden }
  },
}
