import type { Behaviour } from '#csip-server/served.js'

/** SEP-109: the server as a device. */
export const selfDevice: Behaviour = { get: async (x) => ({ lFDI: x.ctx.self.lFDI, sFDI: x.ctx.self.sFDI }) }

export const selfDeviceInformation: Behaviour = {
  get: async (x) => ({
    lFDI: x.ctx.self.lFDI, mfDate: 0, mfHwVer: 'software', mfID: x.ctx.config.pen, mfModel: 'Loadstone', mfSerNum: String(x.ctx.self.sFDI), primaryPower: 0, secondaryPower: 0, swActTime: 0, swVer: x.ctx.config.profile,
  }),
}

/** Written by the server alone (`server-log.ts`). */
export const selfLogEvents: Behaviour = {}
