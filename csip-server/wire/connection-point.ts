import { resource } from '#core/describe/resource.js'
import { may, Resource, sequence } from '#csip-server/wire/base.js'
import { csipaus, inCsipaus, optional, String32 } from '#csip-server/wire/simple-types.js'

/** Wholly in the CSIP-AUS namespace; version 1.1 clients say `id` (SEP-112). */
export const ConnectionPoint = resource('ConnectionPoint', 'SA TS 5573 connection point; SEP-112', inCsipaus(sequence({
  ...Resource,
  connectionPointId: optional(String32({ description: 'Usually the NMI of the site.', ...csipaus })),
  id: optional(String32(csipaus)),
})), { href: '/edev/{edev}/cp', methods: may('GET', 'PUT') })
