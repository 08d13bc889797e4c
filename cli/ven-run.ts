import { readFile } from 'node:fs/promises'
import { systemClock } from '#core/port/clock.js'
import { CliExit, endOf, exitCode } from '#cli/exit-code.js'
import type { VenConnection } from '#cli/ven.js'
import { receive, type Receiver, type WebhookFlags } from '#cli/ven-webhook.js'
import { runAgent, type Agent } from '#ven-client/agent.js'
import type { Device } from '#ven-client/device.js'
import { battery } from '#ven-client/device/battery.js'
import { evCharger } from '#ven-client/device/ev-charger.js'
import { thermostat } from '#ven-client/device/thermostat.js'
import { vtnClient, type VtnClient } from '#ven-client/openadr/client.js'
import { discoverVtns } from '#ven-client/openadr/discover.js'
import { isVtnError, type VtnError } from '#ven-client/openadr/error.js'
import { changes } from '#ven-client/openadr/feed.js'
import { place, stateOf } from '#ven-client/openadr/interval.js'
import type { Event } from '#ven-client/openadr/objects.js'
import { diskStore } from '#ven-client/openadr/report-queue.js'
import { revisions } from '#ven-client/openadr/revision.js'

const say = (fields: object, message?: string): void => { process.stderr.write(`${message ?? ''} ${JSON.stringify(fields)}\n`) }
const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => { throw new CliExit(exitCode.notFound, `${path} cannot be read`) })

const trust = async (o: VenConnection): Promise<{ ca?: string; insecure?: true }> => ({ ...(o.ca ? { ca: await text(o.ca) } : {}), ...(o.insecure ? { insecure: true } : {}) })

export async function connect(o: VenConnection): Promise<VtnClient> {
  const clientSecret = o.clientSecretFile ? (await text(o.clientSecretFile)).trim() : process.env.LOADSTONE_VEN_SECRET
  if (o.clientId && clientSecret === undefined) throw new CliExit(exitCode.usage, 'say --client-secret-file or LOADSTONE_VEN_SECRET')
  const revision = revisions.find((r) => r === o.revision)
  if (o.revision !== undefined && !revision) throw new CliExit(exitCode.usage, `--revision is ${revisions.join(' or ')}, not '${o.revision}'`)
  return vtnClient({
    url: o.url, ...(revision ? { revision } : {}), log: { debug() {}, info() {}, warn: say, error: say }, attempts: 2,
    ...(o.clientId ? { credentials: { clientID: o.clientId, clientSecret: clientSecret ?? '' } } : {}),
    ...await trust(o),
  })
}

/** A VTN's refusal as an exit code of UX-012. */
export async function spoken<T>(client: VtnClient, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isVtnError(error)) throw error
    const code = { unauthenticated: exitCode.notAuthenticated, forbidden: exitCode.notAuthenticated, notFound: exitCode.notFound, conflict: exitCode.refused, unreachable: exitCode.unreachable, timeout: exitCode.unreachable }[error.kind as 'forbidden']
    throw endOf(code ?? exitCode.failed, `${error.message}${error.problem?.instance ? ` (${error.problem.instance})` : ''}`)
  } finally {
    await client.close()
  }
}

const row = (event: Event): object => {
  const placement = place(event, { venID: '', seen_ms: systemClock.nowMs() })
  return {
    id: event.id, eventName: event.eventName ?? null, programID: event.programID, state: stateOf(placement, systemClock.nowMs()), priority: event.priority ?? null,
    start: placement.lifespan ? new Date(placement.lifespan.start).toISOString() : null, end: placement.lifespan?.end ? new Date(placement.lifespan.end).toISOString() : null,
    types: [...new Set(placement.pass.flatMap((i) => i.payloads.map((p) => p.type)))],
  }
}
const line = (event: Event): string => { const r = row(event) as Record<string, unknown>; return `${r.id}  ${String(r.state).padEnd(9)}  ${r.start ?? '-'} … ${r.end ?? 'without end'}  ${(r.types as string[]).join(', ')}` }

export async function events(o: VenConnection & { program?: string; follow?: boolean }): Promise<void> {
  const client = await connect(o), query = o.program ? { programID: o.program } : {}
  await spoken(client, async () => {
    if (!o.follow) {
      const all = await client.events(query)
      process.stdout.write(o.json ? `${JSON.stringify(all.map(row))}\n` : all.length === 0 ? 'no events\n' : `${all.map(line).join('\n')}\n`)
      return
    }
    const abort = new AbortController()
    process.once('SIGINT', () => abort.abort())
    process.once('SIGTERM', () => abort.abort())
    for await (const change of changes(client, { query, signal: abort.signal })) {
      process.stdout.write(o.json ? `${JSON.stringify({ change: change.kind, ...row(change.event) })}\n` : `${change.kind.padEnd(8)} ${line(change.event)}\n`)
    }
  })
}

/** `ven discover`: VTNs of this site, each with the address to give to `--url` (OA-212). */
export async function discover(o: { for: string; json?: boolean }): Promise<void> {
  const found = await discoverVtns({ within_ms: Number(o.for) * 1000 })
  process.stdout.write(o.json ? `${JSON.stringify(found)}\n` : found.length === 0 ? 'no VTN answered\n' : `${found.map((v) => `${v.url}  ${v.instance}  ${v.version ?? '-'}  ${v.program_names?.join(', ') ?? ''}`).join('\n')}\n`)
}

function deviceOf(kind: string): Device {
  if (kind === 'thermostat') return thermostat({ name: 'thermostat-1', clock: systemClock })
  if (kind === 'battery') return battery({ name: 'battery-1', clock: systemClock })
  if (kind !== 'ev-charger') throw new CliExit(exitCode.usage, `--device is thermostat, battery or ev-charger, not '${kind}'`)
  const charger = evCharger({ name: 'ev-charger-1', clock: systemClock })
  charger.plugIn(40_000)
  return charger
}

export async function run(o: VenConnection & WebhookFlags & { mqtt?: boolean; name?: string; device: string; queue?: string; poll: string; for?: string }): Promise<void> {
  const device = deviceOf(o.device), client = await connect(o)
  const tell = (what: object): void => { process.stdout.write(o.json ? `${JSON.stringify(what)}\n` : `${new Date(systemClock.nowMs()).toISOString()}  ${Object.entries(what).map(([k, v]) => `${k} ${typeof v === 'string' ? v : JSON.stringify(v)}`).join('  ')}\n`) }
  let poke = (): void => {}, receiver: Receiver | undefined, agent: Agent | undefined, trouble: VtnError | undefined
  try {
    await spoken(client, async () => {
      receiver = await receive(o, () => poke())
      agent = runAgent(client, {
        venName: o.name ?? o.clientId ?? 'ven', devices: [device], pollEvery_s: Number(o.poll), firstPollWithin_s: 0, ...(o.queue ? { store: diskStore(o.queue) } : {}),
        push: { ...(o.mqtt ? { mqtt: await trust(o) } : {}), ...(receiver ? { webhook: receiver.push } : {}) },
        onChange: (change) => tell({ event: change.event.id, change: change.kind }),
        onOrder: (_device, order) => tell({ order: [...order.says.values()].map((s) => ({ type: s.type, values: s.values, until: s.end === null ? null : new Date(s.end).toISOString() })) }),
        onReport: (key) => tell({ report: key }),
        onTrouble: (error) => { trouble = error },
      })
      poke = agent.poke
      const over = new Promise<'time' | 'signal'>((done) => {
        process.once('SIGINT', () => done('signal'))
        process.once('SIGTERM', () => done('signal'))
        if (o.for !== undefined) setTimeout(() => done('time'), Number(o.for) * 1000)
      })
      const registered = await Promise.race([agent.ready, over])
      if (typeof registered === 'object') {
        tell({ registered: registered.id, venName: registered.venName })
        await over
      }
      agent.stop()
      if (registered === 'time') throw trouble ?? endOf(exitCode.unreachable, `No answer came from ${o.url} within ${o.for} s.`)
    })
  } finally {
    // Also after a refusal: what still ticks would keep the process.
    agent?.stop()
    receiver?.close()
    if ('stop' in device) (device as { stop(): void }).stop()
  }
}

export async function report(o: VenConnection & { event: string; resource: string; value: string; type: string; units: string; start?: string; duration: string; interval: string; clientName?: string }): Promise<void> {
  const client = await connect(o)
  const stored = await spoken(client, () => client.createReport({
    eventID: o.event, clientName: o.clientName ?? o.clientId ?? 'ven',
    payloadDescriptors: [{ objectType: 'REPORT_PAYLOAD_DESCRIPTOR', payloadType: o.type, ...(o.type === 'OPERATING_STATE' ? {} : { units: o.units }) }],
    resources: [{ resourceName: o.resource, intervals: [{
      id: Number(o.interval), ...(o.start ? { intervalPeriod: { start: o.start, duration: o.duration } } : {}),
      payloads: [{ type: o.type, values: [o.value !== '' && !Number.isNaN(Number(o.value)) ? Number(o.value) : o.value] }],
    }] }],
  }))
  process.stdout.write(o.json ? `${JSON.stringify(stored)}\n` : `report ${stored.id} stored\n`)
}
