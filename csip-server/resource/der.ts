import type { Behaviour } from '#csip-server/served.js'

/** SEP-140: every EndDevice has one DER from its registration on; nothing about it is stored but what the device PUTs. */
export const der: Behaviour = { get: async () => ({}) }
export const derList: Behaviour = {
  count: async () => 1,
  list: async (_x, page) => ({ all: 1, items: page.s === 0 && page.l > 0 ? [{ id: '1', value: {} }] : [] }),
}
