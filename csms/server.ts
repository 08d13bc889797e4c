import type { Server } from 'node:http'
import type { DeliveryOrder, DispatchChannel } from '#core/port/dispatch-channel.js'
import { commands, type Command, type CommandResult } from './command.js'
import { ocppChannel } from './dispatch-channel.js'
import { login } from './identity.js'
import { intake as makeIntake } from './intake.js'
import { journal as makeJournal } from './journal.js'
import type { CsmsNeeds } from './needs.js'
import { ownTimers } from './own-timers.js'
import { partsJoiner } from './parts.js'
import { passwords as makePasswords } from './password.js'
import { provision, type Provision } from './provision.js'
import { handlers } from './registry.js'
import { Door, doorDefaults } from './rpc/door.js'
import { Recorder } from './rpc/recorder.js'
import { schemasOf } from './rpc/schema.js'
import { sessionLimits, type Session } from './rpc/session.js'
import type { Payload } from './rpc/outgoing.js'
import { CallRefused } from './rpc/error-code.js'
import { installBaseline } from './smart-charging/baseline-profile.js'
import { energySchedule } from './smart-charging/energy-schedule.js'
import { installer as makeInstaller } from './smart-charging/installer.js'
import { reconciler } from './smart-charging/reconcile.js'
import { siteBalancer } from './smart-charging/site-balancer.js'
import { verification } from './smart-charging/verification.js'
import { eventTaker } from './message/transaction-event.js'
import { stationPage } from './station-page.js'
import { stationLog } from './station-log.js'
import { fleet as makeFleet, keyOf, type Fleet } from './fleet.js'
import { alone, neighbours as makeNeighbours } from './neighbours.js'
import { mayCall, mayHear } from './registration.js'
import type { Reported } from './smart-charging/installer.js'
import type { Station } from './station.js'
import { watch } from './watch.js'
import { tokens as makeTokens, type Tokens } from './tokens.js'
import { offered } from './wire/offered.js'

export interface Csms {
  /** Serves upgrades of a node http or https server; both at once is normal (profile 1 beside 2 and 3). */
  attach(server: Server): void
  readonly channel: DispatchChannel
  readonly tokens: Tokens
  readonly fleet: Fleet
  readonly recorder: Recorder
  /** Stations made and changed by the operator. */
  readonly provision: Provision
  /** Sends any CSMS-initiated message (OCPP-226); resolves with the station's answer. */
  readonly command: Command
  /** Compares the station's profiles with the ledger now (OCPP-201); resolves with those that are not ours. */
  readonly reconcile: (station: Station) => Promise<readonly Reported[] | undefined>
  /** The page of a station that another process has; undefined when it is ours, or that process is silent. */
  viewElsewhere(tenant: string, identity: string): Promise<object | undefined>
  close(): Promise<void>
}

/** Everything of this room, from what it is handed. */
export function buildCsms(needs: CsmsNeeds): Csms {
  const { ids, config, documents, happenings } = needs
  const clock = ownTimers(needs.clock)
  const log = needs.log.child({ room: 'csms' })
  const nowMs = (): number => clock.nowMs()
  const journal = makeJournal({ documents, nowMs, ids, log })
  const parts = partsJoiner(clock)
  const passwords = makePasswords(config.secret, ids)
  const recorder = new Recorder()
  const answer = new Map<string, (session: Session, payload: Payload) => object | Promise<object>>()
  let closing = false

  const fleet = makeFleet({
    documents, log, clock,
    session: {
      log, ids, nowMs, limits: { ...sessionLimits, callTimeoutMs: config.callTimeoutMs, badFrames: config.badFramesPerMinute || Infinity }, offered,
      mayHear: (session, action) => mayHear(fleet.of(session), action, clock.nowMs()),
      mayCall: (session, action) => mayCall(fleet.of(session), action),
      answer(session, action, payload) {
        const handle = answer.get(`${session.version} ${action}`)
        if (!handle) throw new CallRefused('NotSupported')
        return handle(session, payload)
      },
      hear: (session, action) => log.debug({ station: session.identity, action }, 'stream'),
      record: (session, direction, text) => recorder.add(session.identity, clock.nowMs(), direction, text),
      gone(session) {
        door.left(session)
        if (session.online) return
        const station = fleet.of(session)
        station.onlineSince = undefined
        near.left(keyOf(station.tenant, station.identity))
      },
      alarm(session, what) {
        fleet.of(session).flag(new Date(clock.nowMs()).toISOString(), what)
        log.warn({ station: session.identity, what, alarm: true }, 'alarm')
      },
    },
  })
  const verifier = verification({ clock, log, journal, config })
  const installer = makeInstaller({ clock, log, journal, happenings, config, accepted: verifier.readBack })
  const reconcile = reconciler({ parts, log, installer })
  const tokens = makeTokens({ documents, nowMs, config, elsewhere: fleet.inTransactionElsewhere })
  const measured = makeIntake({ documents, readings: needs.readings, availability: needs.availability, directory: needs.directory, clock, log, config })
  const command = commands({ clock, log, journal, parts, passwords, config, fleet, tokens, documents, recorder })
  const near = makeNeighbours({
    bus: needs.bus, ids, log, moved: fleet.moved,
    async answer(question, content) {
      switch (question) {
        case 'command': return command(...content as Parameters<Command>)
        case 'send': return here.send(content as DeliveryOrder[])
        case 'cancel': return here.cancel(...content as [DeliveryOrder[], string])
        case 'view': {
          const station = await fleet.find(...content as [string, string])
          return station && stationPage(station, recorder)
        }
      }
      throw new Error('no such question')
    },
  })
  const provisioning = provision({ documents, fleet, passwords, nowMs, journal, admission: config.admission })
  const schedule = energySchedule({ clock, log, installer })
  const declare = (station: Parameters<typeof measured.declare>[0], evseId: number): void => {
    measured.declare(station, evseId).catch((error: unknown) => log.error({ err: error, station: station.identity }, 'availability'))
  }

  const takeEvent = eventTaker({
    clock, log, documents, journal, tokens, intake: measured,
    changed(station, transaction) {
      fleet.transactionChanged(station, transaction)
      if (transaction.ended) {
        installer.ended(station, transaction.id)
        if (transaction.evseId !== undefined && !station.running(transaction.evseId)) {
          station.needs.delete(transaction.evseId)
          station.free.delete(transaction.evseId)
        }
      }
      if (transaction.evseId !== undefined) declare(station, transaction.evseId)
    },
  })
  const messages = handlers({
    clock, ids, log, config, documents, journal, parts, tokens, intake: measured, takeEvent, stationLog: stationLog({ clock, ids, log, journal }),
    vendors: needs.vendors ?? new Map(), ...(needs.signer ? { signer: needs.signer } : {}), ...(needs.vehicles ? { vehicles: needs.vehicles } : {}),
    capped(station, evseId) {
      for (const id of evseId === 0 ? station.evses() : [evseId]) declare(station, id)
    },
    renegotiate(station, evseId) {
      const wants = station.needs.get(evseId)
      if (wants) schedule(station, evseId, wants)
    },
    accepted(station, fresh) {
      station.session.wake()
      installer.returned(station)
      command.afterBoot(station, fresh)
      installBaseline(station, installer, log).catch((error: unknown) => log.error({ err: error, station: station.identity, clause: 'OCPP-245' }, 'baseline'))
      // Profiles survive reboots (K01.FR.27); that they did is verified (OCPP-100, 201).
      if (config.reconcile && [...station.ledger.values()].some((e) => e.state === 'installed')) {
        reconcile(station).catch((error: unknown) => log.info({ station: station.identity, cause: String(error), clause: 'OCPP-201' }, 'not reconciled'))
      }
    },
    wanted(station, evseId, wants) {
      schedule(station, evseId, wants)
      declare(station, evseId)
    },
  })
  for (const { action, versions, handle } of messages) {
    for (const version of versions ?? ['1.6', '2.0.1', '2.1']) answer.set(`${version} ${action}`, (session, payload) => handle(fleet.of(session), payload as never))
  }

  const door: Door = new Door({
    log,
    config: {
      ...doorDefaults, paths: new Map([[config.path, config.tenant]]), maxPayload: config.maxPayload, failuresPerMinute: config.failuresPerMinute,
      refusalDelayMs: config.refusalDelayMs, pingIntervalMs: config.pingIntervalMs,
    },
    login: login({ passwords, config, nowMs, find: (tenant, id) => (near.ownerOf(keyOf(tenant, id)) === undefined ? fleet.find(tenant, id) : fleet.fresh(tenant, id)), enrol: provisioning.enrol, ...(needs.revoked ? { revoked: needs.revoked } : {}) }),
    connected(session, presented, replaced) {
      const station = fleet.of(session)
      const first = fleet.connected(station, presented.address, replaced)
      near.joined(keyOf(station.tenant, station.identity))
      command.settleProfile(station)
      if (first) installer.resume(station)
      installer.returned(station)
    },
  })
  // SEC-007: a certificate that is revoked or expires while its connection lives ends it.
  const recheck = (): void => {
    for (const { session, certificate } of fleet.online()) {
      if (certificate && (needs.revoked?.(certificate.fingerprint) || certificate.notAfterMs < clock.nowMs())) session.close(1008, 'the certificate is no longer valid')
    }
    clock.after(30_000 * clock.rate, recheck)
  }
  recheck()
  const sites = siteBalancer({ clock, log, stations: fleet.known, installer, assumedStackLevel: config.assumedStackLevel })
  clock.after(60_000, () => void sites.balance())
  clock.after(60_000, watch({ clock, log, online: fleet.online, command }).look)
  // after the doors are open: a schema that is needed before is compiled then
  clock.after(2000, () => { for (const version of ['2.0.1', '1.6', '2.1'] as const) void schemasOf(version).warm(() => !closing) })

  const here = ocppChannel({ installer, find: fleet.find, log, near: alone })
  const channel = ocppChannel({ installer, find: fleet.find, log, near })
  /** A station that another process has is commanded there. */
  const routed = async (stationId: string, action: string, payload: unknown, tenant = config.tenant): Promise<CommandResult> => {
    const owner = near.ownerOf(keyOf(tenant, stationId))
    if (owner === undefined) return command(stationId, action, payload, tenant)
    try {
      return await near.ask(owner, 'command', [stationId, action, payload, tenant]) as CommandResult
    } catch (error) {
      log.warn({ err: error, station: stationId }, 'the process that has the station did not answer')
      return { kind: 'offline' }
    }
  }
  return {
    attach: (server) => door.attach(server),
    channel, tokens, fleet, recorder, reconcile, provision: provisioning, command: Object.assign(routed, { afterBoot: command.afterBoot, settleProfile: command.settleProfile }),
    async viewElsewhere(tenant, identity) {
      const owner = near.ownerOf(keyOf(tenant, identity))
      return owner === undefined ? undefined : await near.ask(owner, 'view', [tenant, identity]).catch(() => undefined) as object | undefined
    },
    async close() {
      closing = true
      clock.cancelAll()
      await door.close(config.drainMs)
      await near.close()
      await journal.settled()
    },
  }
}
