import type { Behaviour } from '#csip-server/served.js'

/** SEP-016: this door speaks one edition; a second one is another listener with a path of its own. */
export const versions: Behaviour = {
  get: async (x) => ({ Version: [{ href: x.ctx.config.prefix + x.ctx.config.dcapPath, version: '1.3' }] }),
}
