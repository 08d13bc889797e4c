import type { Command } from 'commander'
import { changeVerb, createVerb, listAndShow } from '#cli/listing.js'
import { act, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

export function registerResource(program: Command): void {
  const own = noun(program, 'resource', 'controllable things behind service points', ['resource list', 'resource create --set name=battery-1 --set servicePoint=home-1 --set kind=battery --set rated_kW=5 --set \'bindings=[{"protocol":"openadr","remoteId":"ven-1"}]\''])
  listAndShow(own, 'resource', 'resources', ['id', 'name', 'kind', 'rated_kW', 'servicePoint', 'state'])
  createVerb(own, 'resource', 'resources', '--file battery.json')
  changeVerb(own, 'resource', 'resources', 'battery-1 --set cost=0.05')
  verb(own, 'availability <id>', 'what is believed now', 'resource availability battery-1')
    .action((id: string, o: OperatorOptions) => act(o, (c) => c.all(`/availability?resource=${encodeURIComponent(id)}`)))
  const point = noun(program, 'service-point', 'metered connections', ['service-point list', 'service-point create --set name=home-1'])
  listAndShow(point, 'service-point', 'service-points', ['id', 'name', 'gridPath', 'importLimit_kW', 'exportLimit_kW'])
  createVerb(point, 'service-point', 'service-points', '--set name=home-1')
  changeVerb(point, 'service-point', 'service-points', 'home-1 --set importLimit_kW=24')
}
