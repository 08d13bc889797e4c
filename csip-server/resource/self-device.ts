import type { Behaviour } from '#csip-server/served.js'

/** SEP-109: the server as a device. */
export const selfDevice: Behaviour = { get: async (x) => ({ lFDI: x.ctx.self.lFDI, sFDI: x.ctx.self.sFDI }) }
