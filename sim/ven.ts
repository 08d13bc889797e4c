import type { Dispatcher } from 'undici'
import { runAgent, type Agent } from '#ven-client/agent.js'
import { watts, type Device, type Order, type Say, type Verdict } from '#ven-client/device.js'
import type { Log } from '#ven-client/log.js'
import { vtnClient } from '#ven-client/openadr/client.js'
import { diaryOf, lateness_ms, type Behaviour, type DeviceMemory, type SimDevice } from '#sim/device.js'
import { loadModel, step_s, type Site } from '#sim/load-model.js'
import { meterOn } from '#sim/meter.js'
import { seedOf, uniform } from '#sim/noise.js'
import type { ProtocolClock } from '#sim/protocol-clock.js'

export interface SimVenOptions {
  readonly site: Site
  readonly servicePoint: string
  readonly venName: string
  readonly url: string
  readonly credentials: { readonly clientID: string; readonly clientSecret: string }
  readonly clock: ProtocolClock
  readonly log: Log
  readonly dispatcher?: Dispatcher
  readonly ca?: string
  readonly insecure?: boolean
  readonly behaviour?: Behaviour
  /** How far the building can go below its usual load. */
  readonly flexible_W?: number
  readonly pollEvery_s?: number
  readonly spread_s?: number
  readonly remembered?: DeviceMemory | undefined
}

interface Kept { readonly followed: readonly string[]; readonly order?: Omit<Order, 'says'> & { readonly says: readonly (readonly [string, Say])[] } }

/** A building behind an OpenADR VEN: its usual load, and what it can leave away when asked. */
export function simVen(options: SimVenOptions): SimDevice & { readonly agent: Agent } {
  const { site, clock, log } = options
  const behaviour = options.behaviour ?? 'well-behaved'
  const usual = loadModel(site), flexible = options.flexible_W ?? Math.round(site.rated_W * 0.4)
  const diary = diaryOf(site.name, 'openadr', behaviour, options.remembered?.diary), kept = options.remembered?.kept as Kept | undefined
  // no building hits its number exactly; each has its own small bias
  const aim = 0.98 + 0.05 * uniform(seedOf(site.name), site.seed, 30)
  const followed = new Set<string>(kept?.followed)
  let order: Order | undefined = kept?.order && { ...kept.order, says: new Map(kept.order.says) }

  function target(normal: number): number {
    const says = order?.says
    if (!says || says.size === 0) return normal
    const relative = watts(says.get('DISPATCH_SETPOINT_RELATIVE')), absolute = watts(says.get('DISPATCH_SETPOINT'))
    const limit = watts(says.get('IMPORT_CAPACITY_LIMIT')), level = says.get('SIMPLE')?.values[0]
    let wanted = normal
    if (relative !== undefined) wanted = normal + relative * aim
    else if (absolute !== undefined) wanted = absolute
    else if (typeof level === 'number') wanted = normal - flexible * Math.min(3, Math.max(0, level)) / 3
    if (limit !== undefined) wanted = Math.min(wanted, limit)
    return Math.max(0, normal - flexible, Math.min(wanted, normal + flexible))
  }
  const count = meterOn(clock, (from) => target(usual(Math.floor(from / 1000))), { step_s, memory: options.remembered?.meter })

  const take = (next: Order): void => {
    count.advance(clock.nowMs())
    order = next
    for (const say of next.says.values()) if (!followed.has(say.source)) { followed.add(say.source); diary.ordersFollowed += 1 }
  }
  const verdict = (): Verdict => behaviour === 'optout' ? 'optOut' : behaviour === 'reject' ? 'reject' : 'follow'
  const device: Device = {
    name: site.name,
    consider: () => { diary.ordersSeen += 1; if (verdict() === 'optOut') diary.optedOut += 1; if (verdict() === 'reject') diary.rejected += 1; return verdict() },
    follow(next) {
      if (behaviour === 'late') { clock.after(lateness_ms, () => take(next)); return 'follow' }
      if (verdict() === 'follow' && behaviour !== 'garbage') take(next)
      return verdict()
    },
    energy_Wh(start, end) {
      const counted = count.interval(start, end)
      return counted === undefined ? undefined : Math.round(counted.import_Wh)
    },
    operatingState: () => (order?.says.size ?? 0) > 0 ? 'RUNNING_CURTAILED' : 'RUNNING_NORMAL',
    attributes: [{ type: 'MAX_POWER_CONSUMPTION', values: [site.rated_W / 1000] }],
  }
  const client = vtnClient({
    url: options.url, credentials: options.credentials, clock, log, onServerTime: (ms) => clock.sample(ms),
    ...(options.dispatcher ? { dispatcher: options.dispatcher } : {}), ...(options.ca ? { ca: options.ca } : {}), ...(options.insecure ? { insecure: true } : {}),
  })
  const agent = runAgent(client, {
    venName: options.venName, devices: [device], pollEvery_s: options.pollEvery_s ?? 60, firstPollWithin_s: options.spread_s ?? 30,
    reports: { within_s: behaviour === 'late' ? lateness_ms / 1000 : 30 },
    onReport: () => { diary.readingsSent += 1 },
    onTrouble: (error) => { diary.lastError = error.message },
    onStopped: (error) => { diary.lastError = error.message; diary.connected = false },
  })
  agent.ready.then(() => {
    diary.connected = true
    if (behaviour === 'silent') { agent.stop(); diary.connected = false }
    if (behaviour === 'garbage') babble()
    return undefined
  }, (error: unknown) => { diary.lastError = (error as Error).message })

  /** A broken VEN: well authenticated nonsense, again and again. */
  function babble(): void {
    const nonsense: readonly unknown[] = [{ eventID: 'no-such-event', clientName: '', resources: 'all' }, { resources: [{ intervals: [{ id: 'x', payloads: [{ type: 'USAGE', values: [-1e308] }] }] }] }, []]
    void Promise.allSettled(nonsense.map((json) => client.send({ method: 'POST', path: '/reports', json, attempts: 1 }))).then((results) => {
      diary.rejected += results.filter((r) => r.status === 'rejected').length
      return clock.after(300_000, babble)
    })
  }

  return {
    name: site.name, servicePoint: options.servicePoint, diary, meter: count, agent,
    memory: () => ({ diary: { ...diary }, meter: count.memory(), kept: { followed: [...followed], ...(order ? { order: { ...order, says: [...order.says] } } : {}) } satisfies Kept }),
    async stop() { agent.stop(); await client.close() },
  }
}
