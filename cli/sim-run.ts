import { readFile } from 'node:fs/promises'
import { CliExit, endOf, exitCode } from '#cli/exit-code.js'
import type { SimMaker, SimOptions } from '#cli/sim.js'
import type { OcppVersion } from '#sim/charger.js'
import { behaviours, type Behaviour } from '#sim/device.js'
import { fleetPlan, runFleet, type FleetConfig, type FleetCounts, type PlannedDevice } from '#sim/fleet.js'

type Made = Pick<FleetConfig, 'endpoints' | 'credentials'>
const none = { vens: {}, inverters: {}, chargers: {} }

/** `%d` and `%03d` are the number, `%s` the id. */
const fill = (pattern: string, n: number, id = ''): string =>
  pattern.replace(/%0?(\d*)d/g, (_, width: string) => String(n).padStart(Number(width || 0), '0')).replaceAll('%s', id)

const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => { throw new CliExit(exitCode.notFound, `${path} cannot be read`) })
const ca = async (o: SimOptions): Promise<{ tlsCa?: string }> => o.ca ? { tlsCa: await text(o.ca) } : {}

export async function vensFrom(devices: readonly PlannedDevice[], o: SimOptions & { clientId: string; clientSecret?: string; credentials?: string }, secret?: string): Promise<Made> {
  const listed = o.credentials ? JSON.parse(await text(o.credentials)) as { clientID: string; clientSecret: string; venName?: string }[] : undefined
  if (listed && listed.length < devices.length) throw new CliExit(exitCode.usage, `${o.credentials} has ${listed.length} clients for --count ${devices.length}`)
  const given = o.clientSecret ?? secret
  if (!listed && given === undefined) throw new CliExit(exitCode.usage, 'say --client-secret, --credentials FILE or LOADSTONE_VEN_SECRET')
  const vens = Object.fromEntries(devices.map((d, i) => {
    const clientID = fill(o.clientId, i + 1)
    return [d.name, listed?.[i] ?? { clientID, clientSecret: fill(given ?? '', i + 1, clientID), venName: clientID }]
  }))
  return { endpoints: { vtn: o.url }, credentials: { ...none, ...await ca(o), vens } }
}

export async function invertersFrom(devices: readonly PlannedDevice[], o: SimOptions & { cert: string; key: string }): Promise<Made> {
  if (!o.ca) throw new CliExit(exitCode.usage, 'say --ca FILE: the roots and issuing CAs of the 2030.5 server (chain.pem)')
  const inverters = Object.fromEntries(await Promise.all(devices.map(async (d, i) => [d.name, { cert: await text(fill(o.cert, i + 1)), key: await text(fill(o.key, i + 1)) }] as const)))
  return { endpoints: { csip: o.url }, credentials: { ...none, csipCa: await text(o.ca), inverters } }
}

export async function chargersFrom(devices: readonly PlannedDevice[], o: SimOptions & { id: string; password?: string; ocpp?: string; offline?: string }, password?: string): Promise<Made> {
  const version = (o.ocpp ?? '2.0.1') as OcppVersion
  if (!['1.6', '2.0.1', '2.1'].includes(version)) throw new CliExit(exitCode.usage, `--ocpp is 1.6, 2.0.1 or 2.1, not '${version}'`)
  const periods = o.offline === undefined ? undefined : /^(\d+)\/(\d+)$/.exec(o.offline)
  if (periods === null) throw new CliExit(exitCode.usage, `--offline is EVERY/FOR in seconds, like 600/120, not '${o.offline}'`)
  const offline = periods ? { offline: { every_s: Number(periods[1]), for_s: Number(periods[2]) } } : {}
  const given = o.password ?? password
  if (given === undefined) throw new CliExit(exitCode.usage, 'say --password or LOADSTONE_STATION_PASSWORD')
  const chargers = Object.fromEntries(devices.map((d, i) => { const stationId = fill(o.id, i + 1); return [d.name, { stationId, version, password: fill(given, i + 1, stationId), ...offline }] }))
  return { endpoints: { ocppTls: o.url }, credentials: { ...none, ...await ca(o), chargers } }
}

const number = (name: string, value: string, low: number): number => {
  const n = Number(value)
  if (!Number.isFinite(n) || n < low) throw new CliExit(exitCode.usage, `--${name} is a number of at least ${low}, not '${value}'`)
  return n
}

/** Runs the devices until told to stop; what they say of themselves goes to stderr, the document to stdout. */
export async function runSim(protocol: PlannedDevice['protocol'], o: SimOptions, make: SimMaker): Promise<void> {
  if (!behaviours.includes(o.behave as Behaviour)) throw new CliExit(exitCode.usage, `--behave is ${behaviours.join(', ')}, not '${o.behave}'`)
  const count = number('count', o.count, 1)
  const counts: FleetCounts = { vens: 0, inverters: 0, chargers: 0, [{ openadr: 'vens', ieee2030_5: 'inverters', ocpp: 'chargers' }[protocol]]: count }
  const devices = fleetPlan(counts, { seed: number('seed', o.seed, 0), timeZone: o.zone })
  const made = await make(devices)
  const for_s = o.for === undefined ? Infinity : number('for', o.for, 0), spread_s = number('spread', o.spread, 0)
  const fleet = runFleet({
    devices, ...made, lapse: number('rate', o.rate, 0.001), spread_s: Math.min(spread_s, for_s / 2) * Number(o.rate), insecure: o.insecure ?? false,
    misbehave: Object.fromEntries(devices.map((d) => [d.name, o.behave as Behaviour])),
  }, { log: warnings })
  const line = (): void => {
    const { up, of } = fleet.connected(), says = fleet.says(), sum = (what: 'ordersSeen' | 'ordersFollowed' | 'readingsSent' | 'optedOut' | 'rejected'): number => says.reduce((n, d) => n + d[what], 0)
    process.stderr.write(`${up} of ${of} connected, ${sum('ordersSeen')} orders seen, ${sum('ordersFollowed')} followed, ${sum('optedOut')} opted out, ${sum('rejected')} rejected, ${sum('readingsSent')} readings sent\n`)
  }
  const every = setInterval(line, 10_000)
  const ended = await new Promise<'time' | 'signal'>((done) => {
    process.once('SIGINT', () => done('signal'))
    process.once('SIGTERM', () => done('signal'))
    if (o.for !== undefined) setTimeout(() => done('time'), for_s * 1000)
  })
  clearInterval(every)
  line()
  if (o.json) process.stdout.write(`${JSON.stringify({ devices: fleet.says(), meters: fleet.meters() })}\n`)
  const nobody = fleet.connected().up === 0, failed = fleet.says().find((d) => d.lastError)?.lastError
  await fleet.stop()
  if (nobody && failed) throw endOf(/cannot be reached|did not answer/.test(failed) ? exitCode.unreachable : /refused client|401|403/.test(failed) ? exitCode.notAuthenticated : exitCode.failed, failed)
  if (nobody && ended === 'time') throw endOf(exitCode.unreachable, `No answer came from ${o.url} within ${o.for} s.`)
  process.exitCode = ended === 'signal' ? exitCode.interrupted : exitCode.done
}

const say = (fields: object, message?: string): void => { process.stderr.write(`${message ?? ''} ${JSON.stringify(fields)}\n`) }
const warnings = { debug() {}, info() {}, warn: say, error: say }
