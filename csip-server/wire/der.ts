import { resource } from '#core/describe/resource.js'
import { Link, ListLink, listOf, may, sequence, SubscribableResource } from '#csip-server/wire/base.js'
import { optional } from '#csip-server/wire/simple-types.js'

export const DER = resource('DER', '2030.5-2018 DER; SEP-140', sequence({
  ...SubscribableResource,
  AssociatedDERProgramListLink: optional(ListLink),
  AssociatedUsagePointLink: optional(Link),
  CurrentDERProgramLink: optional(Link),
  DERAvailabilityLink: optional(Link),
  DERCapabilityLink: optional(Link),
  DERSettingsLink: optional(Link),
  DERStatusLink: optional(Link),
}), { href: '/edev/{edev}/der/{der}', methods: may('GET') })

export const DERList = listOf(DER, '2030.5-2018 DER; SEP-140', { href: '/edev/{edev}/der', methods: may('GET'), pollRate: true })
