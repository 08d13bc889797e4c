import { resource } from '#core/describe/resource.js'
import { Link, ListLink, listOf, may, sequence, SubscribableIdentifiedObject } from '#csip-server/wire/base.js'
import { optional, PrimacyType } from '#csip-server/wire/simple-types.js'

export const DERProgram = resource('DERProgram', '2030.5-2018 DER; SEP-130', sequence({
  ...SubscribableIdentifiedObject,
  ActiveDERControlListLink: optional(ListLink),
  DefaultDERControlLink: optional(Link),
  DERControlListLink: optional(ListLink),
  DERCurveListLink: optional(ListLink),
  primacy: PrimacyType({ description: 'Lower wins between programs.' }),
}), { href: '/derp/{derp}', methods: may('GET') })

/** One of a DER's programs, at the DER's own address (SEP-146). */
export const CurrentDERProgram = resource('DERProgram', '2030.5-2018 DER; SEP-146', DERProgram.schema, { href: '/edev/{edev}/der/{der}/cdp', methods: may('GET') })

export const DERProgramList = listOf(DERProgram, '2030.5-2018 DER; SEP-130', { href: '/derp', methods: may('GET'), subscribable: true, pollRate: true })

export const AssignedDERProgramList = listOf(DERProgram, '2030.5-2018 DER; SEP-130', { href: '/edev/{edev}/fsa/{fsa}/derp', methods: may('GET'), subscribable: true, pollRate: true })

export const AssociatedDERProgramList = listOf(DERProgram, '2030.5-2018 DER; SEP-130', { href: '/edev/{edev}/der/{der}/derp', methods: may('GET'), subscribable: true, pollRate: true })
