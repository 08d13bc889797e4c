import { resource } from '#core/describe/resource.js'
import { may, pollRate, Resource, sequence } from '#csip-server/wire/base.js'
import { PINType, TimeType } from '#csip-server/wire/simple-types.js'

export const Registration = resource('Registration', '2030.5-2018 registration; SEP-108', sequence({
  ...Resource,
  ...pollRate,
  dateTimeRegistered: TimeType(),
  pIN: PINType({ description: 'Six digits the installer compares.' }),
}), { href: '/edev/{edev}/rg', methods: may('GET') })
