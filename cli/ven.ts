import type { Command } from 'commander'
import { numberFrom, urlWith } from '#cli/argument.js'
import type { WebhookFlags } from '#cli/ven-webhook.js'

interface Connection { url: string; revision?: string; clientId?: string; clientSecretFile?: string; ca?: string; insecure?: boolean; json?: boolean }

/** The VEN client by hand, against any VTN (contract §2). */
export function registerVen(program: Command): void {
  const ven = program.command('ven').description('the OpenADR 3 VEN client by hand, against any VTN')
    .addHelpText('before', 'Examples:\n  $ npx loadstone ven events --url http://localhost:8082/openadr3/3.1.1 --client-id ven_client --client-secret-file secret.txt\n  $ npx loadstone ven run --url https://vtn.example/openadr3/3.1.1 --client-id ven_client --device battery --queue ./reports\n  $ npx loadstone ven run --url http://localhost:8082/openadr3/3.0.1 --client-id ven_client --client-secret-file secret.txt\n')
  const connection = (command: Command): Command => command.requiredOption('--url <url>', 'base path of the VTN', urlWith('http', 'https'))
    .option('--revision <revision>', '3.1.1 or 3.0.1; by default as the base path says').option('--client-id <id>', 'clientID; without it no token is sent').option('--client-secret-file <file>', 'file with the secret (else LOADSTONE_VEN_SECRET)')
    .option('--ca <file>', 'roots to trust (PEM)').option('--insecure', 'do not check the VTN\'s certificate').option('--json', 'JSON on stdout (NDJSON for a stream)')

  connection(ven.command('events').description('list the events that this client may see, with their state'))
    .option('--program <id>', 'of one program').option('--follow', 'go on, and print every change')
    .addHelpText('before', 'Examples:\n  $ npx loadstone ven events --url http://localhost:8082/openadr3/3.1.1 --client-id ven_client --client-secret-file secret.txt\n  $ npx loadstone ven events --url https://vtn.example/openadr3/3.1.1 --client-id ven_client --follow --json\n')
    .action(async (o: Connection & { program?: string; follow?: boolean }) => { await (await import('#cli/ven-run.js')).events(o) })

  connection(ven.command('run').description('register, follow events with an example device, and report'))
    .option('--name <venName>', 'venName; by default the clientID').option('--device <kind>', 'thermostat, battery or ev-charger', 'thermostat')
    .option('--queue <folder>', 'where reports wait while the VTN is away').option('--poll <s>', 'seconds between polls', numberFrom(0.1), '60').option('--for <s>', 'stop after so many seconds; without it at Ctrl-C')
    .option('--mqtt', 'be told at once by the VTN\'s MQTT notifier, where it has one; polling goes on')
    .option('--webhook-url <url>', 'be told at once: the address under which the VTN reaches this client; polling goes on', urlWith('http', 'https')).option('--webhook-port <n>', 'port to listen on; by default that of the address', numberFrom(0))
    .option('--webhook-cert <file>', 'its certificate (PEM); without one plain HTTP on loopback, for a proxy that ends TLS').option('--webhook-key <file>', 'its key (PEM)').option('--webhook-hmac', 'have notifications signed, and refuse others')
    .addHelpText('before', 'Examples:\n  $ npx loadstone ven run --url http://localhost:8082/openadr3/3.1.1 --client-id ven_client --client-secret-file secret.txt --device ev-charger\n  $ npx loadstone ven run --url https://vtn.example/openadr3/3.1.1 --client-id ven_client --client-secret-file secret.txt --mqtt\n  $ npx loadstone ven run --url https://vtn.example/openadr3/3.1.1 --client-id ven_client --webhook-url https://me.example:4443/hook --webhook-cert me.pem --webhook-key me.key\n')
    .action(async (o: Connection & WebhookFlags & { mqtt?: boolean; name?: string; device: string; queue?: string; poll: string; for?: string }) => { await (await import('#cli/ven-run.js')).run(o) })

  ven.command('discover').description('find VTNs that announce themselves on the local network')
    .option('--for <s>', 'listen so many seconds', '3').option('--json', 'JSON on stdout')
    .addHelpText('before', 'Examples:\n  $ npx loadstone ven discover\n  $ npx loadstone ven discover --for 10 --json\n')
    .action(async (o: { for: string; json?: boolean }) => { await (await import('#cli/ven-run.js')).discover(o) })

  connection(ven.command('report').description('send one report by hand'))
    .requiredOption('--event <id>', 'the event that it answers').requiredOption('--resource <name>', 'resourceName').requiredOption('--value <value>', 'a number, or a word')
    .option('--type <payloadType>', 'payload type', 'USAGE').option('--units <units>', 'units', 'KWH').option('--start <dateTime>', 'start of the interval').option('--duration <duration>', 'its length', 'PT15M')
    .option('--interval <id>', 'id of the event\'s interval', '0').option('--client-name <name>', 'clientName; by default the clientID')
    .addHelpText('before', 'Examples:\n  $ npx loadstone ven report --url http://localhost:8082/openadr3/3.1.1 --client-id ven_client --client-secret-file secret.txt --event 0198 --resource site-1 --value 12.5 --start 2026-07-01T16:00:00Z\n')
    .action(async (o: Connection & { event: string; resource: string; value: string; type: string; units: string; start?: string; duration: string; interval: string; clientName?: string }) => { await (await import('#cli/ven-run.js')).report(o) })
}

export type VenConnection = Connection
