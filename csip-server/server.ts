import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Clock } from '#core/port/clock.js'
import type { DispatchChannel } from '#core/port/dispatch-channel.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import type { Exchange } from '#core/words/last-words.js'
import type { DocumentStore } from '#core/port/store/document.js'
import { lfdiOf, sfdiOf } from '#certs/lfdi.js'
import { X509Certificate } from 'node:crypto'
import type { CsipConfig } from '#csip-server/config.js'
import type { CsipContext, CsipIntake, DerAlarm } from '#csip-server/context.js'
import { makeDevices, makeRecall } from '#csip-server/devices.js'
import { announce } from '#csip-server/dns-sd/responder.js'
import { makeDispatchChannel } from '#csip-server/dispatch-channel.js'
import { makeDoor, type Door } from '#csip-server/door.js'
import { makeHardwareBook, type Hardware } from '#csip-server/hardware.js'
import { makeListener, type LeafVerdict } from '#csip-server/listener.js'
import type { TlsMaterial } from '#csip-server/tls.js'
import { makeMeter, type Meter, type Sample } from '#csip-server/metrics.js'
import { makeProxyListener } from '#csip-server/proxy-listener.js'
import { livingEvents } from '#csip-server/program-events.js'
import { derControls } from '#csip-server/resource/der-control.js'
import type { Value } from '#csip-server/served.js'
import { makeNotifier, type Notifier } from '#csip-server/notify/notifier.js'
import { makePoster } from '#csip-server/notify/post.js'
import { makeProvisioning, type Provisioning } from '#csip-server/provision.js'
import { makeRateLimit } from '#csip-server/rate-limit.js'
import { registryFor } from '#csip-server/registry.js'
import { watchEnded } from '#csip-server/ended-events.js'
import { watchClock } from '#csip-server/server-log.js'

export interface CsipNeeds {
  readonly tenant: string
  readonly documents: DocumentStore
  readonly intake: CsipIntake
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly config: CsipConfig
  readonly tls: TlsMaterial
  readonly checkLeaf: (der: Buffer, chain: readonly Buffer[]) => LeafVerdict
  readonly isRevoked: (lfdi: string) => boolean
  readonly count?: (what: 'handshake' | 'request', labels: Readonly<Record<string, string>>) => void
  /** Milliseconds of a count that nobody can set; with it, steps of the clock are logged (SEP-094). */
  readonly monotonicMs?: () => number
  readonly alarm?: (alarm: DerAlarm) => void
  /** Told of every exchange with a device (UX-049). */
  readonly words?: (lfdi: string, said: Exchange) => void
  /** Looks at each connection before TLS does, and may end it (REL-045). */
  readonly limit?: (socket: Socket) => void
}

export interface Csip {
  readonly door: Door
  readonly context: CsipContext
  readonly channel: DispatchChannel
  readonly provisioning: Provisioning
  readonly notifier: Notifier
  /** Listens on every host given; port 0 takes a free one, the same for all of them. Gives the port. */
  listen(at?: { port?: number; hosts?: readonly string[] }): Promise<number>
  reload(tls: TlsMaterial): void
  /** Ends a client's live connections at once, e.g. when it is revoked. */
  cut(lfdi: string): void
  connections(): number
  /** Whether the door still takes connections (REL-073). */
  listening(): boolean
  /** What a device is by its certificate, once it was here (SEP-211). */
  hardwareOf(lfdi: string): Promise<Hardware | undefined>
  /** What /metrics shows of this room (SEP-255). */
  samples(): Promise<Sample[]>
  close(): Promise<void>
}

const sweepEvery_ms = 30_000

/** The IEEE 2030.5 door: a function of its needs, without effects until `listen`. */
export function buildCsip(needs: CsipNeeds): Csip {
  const { tenant, documents, intake, clock, ids, log, config } = needs
  let self = selfOf(needs.tls)
  let tooOld = 0
  const context: CsipContext = {
    tooOld: (n) => { tooOld += n }, tenant, documents, intake, clock, ids, log, config, get self() { return self }, recall: makeRecall(documents, tenant), alarm: needs.alarm,
  }
  const door = makeDoor(context, registryFor(config.profile), makeDevices(context))
  let material = needs.tls, taken = config.port
  const notifier = makeNotifier(context, door, makePoster(config, () => material), () => config.publicUrl ?? `https://localhost:${taken}`)
  const listeners: ReturnType<typeof makeListener>[] = []
  const managed = (lfdi: string): Promise<number> => documents.count(tenant, { kind: 'csip/EndDevice', owner: lfdi })
  const rateLimit = makeRateLimit(clock, config.rateLimit, managed), meter = makeMeter(), hardware = makeHardwareBook({ documents, tenant, clock, log })
  const listenerNeeds = () => ({ door, config, tls: material, log, clock, rateLimit, meter, hardware, checkLeaf: needs.checkLeaf, isRevoked: needs.isRevoked, ...(needs.count ? { count: needs.count } : {}), words: needs.words })
  const make = () => makeListener(listenerNeeds())
  let proxied: Server | undefined, announcing: { close(): void } | undefined
  let sweeping: { cancel(): void } | undefined, watching: { stop(): void } | undefined, archiving: { stop(): void } | undefined
  // SEC-007: a revoked client's connection ends within a minute even when it asks nothing.
  const sweep = (): void => {
    for (const l of listeners) l.sweep()
    sweeping = clock.after(sweepEvery_ms * clock.rate, sweep)
  }
  return {
    door, context,
    channel: makeDispatchChannel(context),
    provisioning: makeProvisioning(context),
    notifier,
    async listen({ port = config.port, hosts = ['::'] } = {}) {
      taken = port
      for (const host of hosts) {
        const listener = make()
        if (needs.limit) listener.server.prependListener('connection', needs.limit)
        try {
          await bind(listener.server, taken, host)
        } catch (error) {
          // SEP-011: a machine without IPv6 has the other addresses only
          if (listeners.length === 0 || !isAbsent(error)) throw error
          log.warn({ host, clause: 'SEP-011' }, 'this machine has no such address: nobody is served there')
          continue
        }
        listener.server.on('error', (error) => log.error({ err: error }, 'csip listener'))
        taken = (listener.server.address() as AddressInfo).port
        listeners.push(listener)
      }
      if (config.proxy) {
        const behind = proxied = makeProxyListener(listenerNeeds(), config.proxy)
        await bind(behind, config.proxy.port, hosts[0] ?? '::')
      }
      if (config.dnsSd) {
        const { prefix, dcapPath } = config, addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []).filter((a) => a.family === 'IPv4' && !a.internal).map((a) => a.address)
        // A link without multicast is no reason not to serve: a configured URL is the normal case (SEP-014).
        announcing = await announce({ ...config.dnsSd, port: taken, dcap: prefix + dcapPath, prefix, addresses, endDevice: (sfdi) => pathOfSfdi(context, sfdi) }, log)
          .catch((error: unknown) => { log.warn({ err: error, clause: 'SEP-015' }, 'DNS-SD could not be started'); return undefined })
      }
      if (needs.monotonicMs) watching = watchClock(context, needs.monotonicMs)
      archiving = watchEnded(context)
      await notifier.start()
      sweep()
      return taken
    },
    reload(tls) {
      material = tls
      for (const l of listeners) l.reload(tls)
      self = selfOf(tls)
      door.forget()
    },
    cut: (lfdi) => { for (const l of listeners) l.cut(lfdi) },
    samples: async () => [
      ...await samplesOf(context, meter, notifier),
      { name: 'loadstone_csip_readings_too_old_total', help: 'Readings older than the retention, accepted and dropped', type: 'counter', labels: {}, value: tooOld },
    ],
    hardwareOf: (lfdi) => hardware.of(lfdi),
    listening: () => listeners.length > 0 && listeners.every(({ server }) => server.listening),
    connections: () => listeners.reduce((n, l) => n + l.connections(), 0),
    async close() {
      sweeping?.cancel()
      watching?.stop()
      archiving?.stop()
      announcing?.close()
      await notifier.stop()
      await hardware.stop()
      proxied?.closeAllConnections()
      proxied?.close()
      await Promise.all(listeners.map((l) => new Promise<void>((done) => {
        l.server.close(() => done())
        l.server.closeIdleConnections()
        setTimeout(() => l.destroyAll(), 2000).unref()
      })))
    },
  }
}

/** SEP-109: names of our own, from the certificate that we show. */
function selfOf({ cert }: TlsMaterial): CsipContext['self'] {
  const lFDI = lfdiOf(new X509Certificate(cert).raw)
  return { lFDI, sFDI: sfdiOf(lFDI) }
}

const isAbsent = (error: unknown): boolean => /^(EADDRNOTAVAIL|EAFNOSUPPORT)$/.test((error as NodeJS.ErrnoException).code ?? '')

/** Every address of the machine is `::`, or 0.0.0.0 where there is no IPv6. */
async function bind(server: Server, port: number, host: string): Promise<void> {
  try {
    await new Promise<void>((done, failed) => {
      server.once('error', failed)
      server.listen(port, host, () => { server.off('error', failed); done() })
    })
  } catch (error) {
    if (host !== '::' || !isAbsent(error)) throw error
    await bind(server, port, '0.0.0.0')
  }
}

/** SEP-015: only an EndDevice that there is has a subtype of its own. */
async function pathOfSfdi(ctx: CsipContext, sfdi: number): Promise<string | undefined> {
  const [device] = await ctx.documents.list(ctx.tenant, { kind: 'csip/EndDevice', parent: '', sort2From: sfdi, sort2To: sfdi, limit: 1 })
  return device && `/edev/${device.id}`
}

async function samplesOf(ctx: CsipContext, meter: Meter, notifier: Notifier): Promise<Sample[]> {
  const now = ctx.clock.now(), events = { scheduled: 0, active: 0 }
  const programs = new Set((await ctx.documents.list<Value>(ctx.tenant, { kind: derControls.kind, sort1From: now - 86_400, limit: 20_000 })).map((d) => d.parent))
  for (const program of programs) for (const { currentStatus } of (await livingEvents(ctx, derControls, program, now)).events.status.values()) {
    if (currentStatus === 0) events.scheduled++
    if (currentStatus === 1) events.active++
  }
  return [
    ...meter.samples(now),
    ...Object.entries(notifier.counts).map(([outcome, value]): Sample => ({ name: 'loadstone_csip_notifications_total', help: 'Notifications by outcome', type: 'counter', labels: { outcome }, value })),
    { name: 'loadstone_csip_notifications_pending', help: 'Subscriptions whose receiver has not the newest state', type: 'gauge', labels: {}, value: notifier.pending() },
    ...Object.entries(events).map(([state, value]): Sample => ({ name: 'loadstone_csip_events', help: 'DERControls by state', type: 'gauge', labels: { state }, value })),
  ]
}
