import type { Command } from 'commander'
import { listAndShow } from '#cli/listing.js'
import { act, bodyFrom, collect, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

interface Made { readonly id: string; readonly url: string; readonly password?: string }

/** Charging stations: what to type into a new one, and any message to one that is connected. */
export function registerStation(program: Command): void {
  const own = noun(program, 'station', 'charging stations (OCPP)', ['station create CS100', 'station list', 'station call CS100 Reset --set type=OnIdle'])
  listAndShow(own, 'station', 'stations', ['id', 'securityProfile', 'online', 'status', 'model', 'firmwareVersion'])
  verb(own, 'create <id>', 'make one; prints the URL, id and password to type into the charger, once', 'station create CS100 --profile 2')
    .option('--profile <n>', 'security profile: 1 ws, 2 wss, 3 wss with a certificate', '2').option('--password <text>', 'instead of a made one').option('--serial <text>', 'serial number, for profile 3')
    .action((id: string, o: OperatorOptions & { profile: string; password?: string; serial?: string }) => act(o, async (c) => {
      const made = await c.call<Made | { items: readonly Made[] }>('POST', '/stations', { id, securityProfile: Number(o.profile), ...(o.password ? { password: o.password } : {}), ...(o.serial ? { serialNumber: o.serial } : {}) })
      return 'items' in made ? made.items[0] : made
    }))
  verb(own, 'call <id> <action>', 'send any CSMS-initiated message; prints the answer', 'station call CS100 TriggerMessage --set requestedMessage=StatusNotification --json')
    .option('--file <file>', 'JSON payload, - for stdin').option('--set <name=value>', 'one field; a.b=1 goes deeper', collect, [])
    .action((id: string, action: string, o: OperatorOptions & { file?: string; set: string[] }) => act(o, async (c) => c.call('POST', `/stations/${encodeURIComponent(id)}/ocpp/${encodeURIComponent(action)}`, await bodyFrom(o))))
}
