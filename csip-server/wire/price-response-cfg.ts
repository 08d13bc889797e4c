import { resource } from '#core/describe/resource.js'
import { Link, listOf, may, Resource, sequence } from '#csip-server/wire/base.js'
import { Int32 } from '#csip-server/wire/simple-types.js'

const clause = '2030.5-2018 configuration; SEP-111'

/** From which prices on a device uses more, or as little as it can. */
export const PriceResponseCfg = resource('PriceResponseCfg', clause, sequence({
  ...Resource,
  consumeThreshold: Int32({ description: 'At or below this price it uses what it likes; in the unit of the tariff.' }),
  maxReductionThreshold: Int32({ description: 'At or above this price it saves all that it can.' }),
  RateComponentLink: Link,
}), { href: '/edev/{edev}/cfg/prcfg/{prcfg}', methods: may('GET', 'PUT', 'DELETE') })

export const PriceResponseCfgList = listOf(PriceResponseCfg, clause, { href: '/edev/{edev}/cfg/prcfg', methods: may('GET', 'POST') })
