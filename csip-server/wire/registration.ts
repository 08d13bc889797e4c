import { resource } from '#core/describe/resource.js'
import { may, pollRate, Resource, sequence } from '#csip-server/wire/base.js'
import { PINType, Instant } from '#csip-server/wire/simple-types.js'

export const Registration = resource('Registration', '2030.5-2018 registration; SEP-108', sequence({
  ...Resource,
  ...pollRate,
  dateTimeRegistered: Instant(),
  pIN: PINType({ description: 'Six digits the installer compares.' }),
}), { href: '/edev/{edev}/rg', methods: may('GET') })
