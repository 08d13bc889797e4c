import type { Command } from 'commander'
import { changeVerb, createVerb, listAndShow } from '#cli/listing.js'
import { noun } from '#cli/operator-noun.js'

export function registerProgram(program: Command): void {
  const own = noun(program, 'program', 'rules under which flexibility is bought', ['program list', 'program create --file peak.json', 'program change peak --set energyPrice=0.55'])
  listAndShow(own, 'program', 'programs', ['id', 'name', 'direction', 'timeZone', 'currency', 'energyPrice', 'customerShare', 'programVersion', 'state'])
  createVerb(own, 'program', 'programs', '--file peak.json')
  changeVerb(own, 'program', 'programs', 'peak --set energyPrice=0.55')
}
