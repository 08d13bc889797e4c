import { attribute } from '#core/describe/field.js'
import { resource } from '#core/describe/resource.js'
import { Link, ListLink, listOf, may, pollRate, sequence } from '#csip-server/wire/base.js'
import { ConsumptionTariffIntervalList, RateComponent, TariffProfile, TimeTariffInterval } from '#csip-server/wire/pricing.js'
import { inCsipaus, optional, UInt8 } from '#csip-server/wire/simple-types.js'

const clause = 'CSIP-AUS 1.3 pricing; SEP-200, SEP-241'
const members = (d: { readonly schema: unknown }) => (d.schema as ReturnType<typeof sequence>).properties

/** Pricing as CSIP-AUS 1.3 extends it: own children come after those of the base type. */
export const TariffProfile13 = resource('TariffProfile', clause, sequence({
  ...members(TariffProfile), CombinedTimeTariffIntervalListLink: optional(inCsipaus(ListLink)),
}), { href: '/tp/{tp}', methods: may('GET') })
export const TariffProfileList13 = listOf(TariffProfile13, clause, { href: '/tp', methods: may('GET'), subscribable: true, pollRate: true })
export const AssignedTariffProfileList13 = listOf(TariffProfile13, clause, { href: '/edev/{edev}/fsa/{fsa}/tp', methods: may('GET'), subscribable: true, pollRate: true })

export const RateComponentList13 = (() => {
  const plain = listOf(RateComponent, clause)
  return resource('RateComponentList', clause, sequence({ ...members(plain), subscribable: optional(UInt8(attribute)) }), { href: '/tp/{tp}/rc', methods: may('GET'), ...(plain.lists ? { lists: plain.lists } : {}) })
})()

export const TimeTariffInterval13 = resource('TimeTariffInterval', clause, sequence({
  ...members(TimeTariffInterval),
  ConsumptionTariffIntervalListSummary: optional(inCsipaus(ConsumptionTariffIntervalList.schema)),
  RateComponentLink: optional(Link),
}), { href: '/tp/{tp}/rc/{rc}/tti/{tti}', methods: may('GET') })

const listAt = (href: string) => {
  const plain = listOf(TimeTariffInterval13, clause, { subscribable: true })
  return resource('TimeTariffIntervalList', clause, sequence({ ...members(plain), ...pollRate }), { href, methods: may('GET'), ...(plain.lists ? { lists: plain.lists } : {}) })
}
export const TimeTariffIntervalList13 = listAt('/tp/{tp}/rc/{rc}/tti')
export const ActiveTimeTariffIntervalList13 = listAt('/tp/{tp}/rc/{rc}/acttti')
/** Interpretation: the schema declares a type and a link for it, no root element; it is written as the TimeTariffIntervalList that it extends. */
export const CombinedTimeTariffIntervalList = listAt('/tp/{tp}/ctti')
