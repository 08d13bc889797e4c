import type { Command } from 'commander'
import { urlWith } from '#cli/argument.js'
import type { FleetConfig, PlannedDevice } from '#sim/fleet.js'
import type { Behaviour } from '#sim/device.js'

interface Common { count: string; url: string; behave: string; ca?: string; insecure?: boolean; rate: string; seed: string; zone: string; for?: string; json?: boolean; spread: string }
type Made = Pick<FleetConfig, 'endpoints' | 'credentials'>

/** Simulated devices against any server (contract §2, UX-007). */
export function registerSim(program: Command): void {
  const sim = program.command('sim').description('simulated devices against any server, well-behaved or not')
    .addHelpText('before', 'Examples:\n  $ npx loadstone sim ven --count 1 --url http://localhost:8082/openadr3/3.1.1 --client-id ven_client --client-secret 999\n  $ npx loadstone sim inverter --url https://localhost:8443/dcap --cert pki/device-%d.pem --key pki/device-%d.key --ca pki/chain.pem --count 4\n  $ npx loadstone sim charger --count 10 --url ws://localhost:9000/ocpp --id CS%03d --password loadstone-%s-pass --behave late\n')
  const common = (command: Command): Command => command
    .requiredOption('--url <url>', 'the server\'s door', urlWith('http', 'https', 'ws', 'wss')).option('--count <n>', 'how many', '1').option('--behave <how>', 'well-behaved, silent, late, optout, reject or garbage', 'well-behaved')
    .option('--ca <file>', 'roots to trust (PEM)').option('--insecure', 'do not check the server\'s certificate').option('--rate <r>', 'seconds of the server\'s clock for each second here', '1')
    .option('--seed <n>', 'seed of the load model', '1').option('--zone <zone>', 'time zone of the sites', 'America/Denver').option('--spread <s>', 'seconds over which they come up; at most half of --for', '5')
    .option('--for <s>', 'stop after so many seconds; without it at Ctrl-C').option('--json', 'at the end, one JSON document with meters and diaries on stdout')

  common(sim.command('ven').description('buildings behind OpenADR VENs'))
    .option('--client-id <id>', 'clientID; %d or %03d is the number of the VEN', 'site-%03d').option('--client-secret <secret>', '%s is the clientID (else LOADSTONE_VEN_SECRET)')
    .option('--credentials <file>', 'JSON list of {clientID, clientSecret, venName?}, in place of both')
    .addHelpText('before', 'Examples:\n  $ npx loadstone sim ven --url http://localhost:8082/openadr3/3.1.1 --client-id ven_client --client-secret 999\n  $ npx loadstone sim ven --count 40 --url https://localhost:8081/openadr3/3.1.1 --ca tls-ca.pem --credentials vens.json --behave late\n')
    .action(async (o: Common & { clientId: string; clientSecret?: string; credentials?: string }) => {
      const { runSim, vensFrom } = await import('#cli/sim-run.js')
      await runSim('openadr', o, (devices) => vensFrom(devices, o, process.env.LOADSTONE_VEN_SECRET))
    })

  common(sim.command('inverter').description('batteries behind homes over IEEE 2030.5 (mutual TLS)'))
    .requiredOption('--cert <file>', 'certificate with its chain (PEM); %d is the number of the device').requiredOption('--key <file>', 'its key; %d likewise')
    .addHelpText('before', 'Examples:\n  $ npx loadstone sim inverter --url https://localhost:8443/dcap --cert pki/device-1.pem --key pki/device-1.key --ca pki/chain.pem\n  $ npx loadstone sim inverter --count 4 --url https://localhost:8443/dcap --cert pki/device-%d.pem --key pki/device-%d.key --ca pki/chain.pem --behave optout\n')
    .action(async (o: Common & { cert: string; key: string }) => {
      const { invertersFrom, runSim } = await import('#cli/sim-run.js')
      await runSim('ieee2030_5', o, (devices) => invertersFrom(devices, o))
    })

  common(sim.command('charger').description('charging stations over OCPP 1.6-J, 2.0.1 or 2.1'))
    .option('--id <id>', 'station id; %d or %03d is the number of the station', 'CS%03d').option('--password <password>', 'Basic password; %s is the id (else LOADSTONE_STATION_PASSWORD)')
    .option('--ocpp <version>', '1.6, 2.0.1 or 2.1', '2.0.1').option('--offline <every/for>', 'lose the network so often and for so long, in seconds of the server\'s clock: 600/120')
    .addHelpText('before', 'Examples:\n  $ npx loadstone sim charger --url ws://localhost:9000/ocpp --id CS001 --password loadstone-CS001-pass\n  $ npx loadstone sim charger --count 10 --url wss://localhost:9001/ocpp --ca pki/tls-ca.pem --id CS%03d --password loadstone-%s-pass\n')
    .action(async (o: Common & { id: string; password?: string; ocpp: string; offline?: string }) => {
      const { chargersFrom, runSim } = await import('#cli/sim-run.js')
      await runSim('ocpp', o, (devices) => chargersFrom(devices, o, process.env.LOADSTONE_STATION_PASSWORD))
    })
}

export type SimOptions = Common
export type SimMaker = (devices: readonly PlannedDevice[]) => Promise<Made>
export type { Behaviour }
