import { resource } from '#core/describe/resource.js'
import { listOf, may, Resource, sequence } from '#csip-server/wire/base.js'
import { LocaleType } from '#csip-server/wire/simple-types.js'

const clause = '2030.5-2018 device information; SEP-110'

/** A language that the device can show texts in. */
export const SupportedLocale = resource('SupportedLocale', clause, sequence({
  ...Resource,
  locale: LocaleType({ description: 'Language tag, as RFC 4646 has it.' }),
}), { href: '/edev/{edev}/di/loc/{loc}', methods: may('GET', 'PUT', 'DELETE') })

export const SupportedLocaleList = listOf(SupportedLocale, clause, { href: '/edev/{edev}/di/loc', methods: may('GET', 'POST') })
