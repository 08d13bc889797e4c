import type { Server } from 'node:http'
import type { DispatchChannel } from '#core/port/dispatch-channel.js'
import { commands, type Command } from './command.js'
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
import { energySchedule } from './smart-charging/energy-schedule.js'
import { installer as makeInstaller } from './smart-charging/installer.js'
import { verification } from './smart-charging/verification.js'
import { fleet as makeFleet, type Fleet } from './fleet.js'
import { mayCall, mayHear } from './registration.js'
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
  close(): Promise<void>
}

/** Everything of this room, from what it is handed. */
export function buildCsms(needs: CsmsNeeds): Csms {
  const { ids, config, documents, happenings } = needs
  const clock = ownTimers(needs.clock)
  const log = needs.log.child({ room: 'csms' })
  const nowMs = (): number => clock.nowMs()
  const journal = makeJournal({ documents, nowMs, log })
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
        if (!session.online) fleet.of(session).onlineSince = undefined
      },
      alarm(session, what) {
        fleet.of(session).flag(new Date(clock.nowMs()).toISOString(), what)
        log.warn({ station: session.identity, what, alarm: true }, 'alarm')
      },
    },
  })
  const verifier = verification({ clock, log, journal, config })
  const installer = makeInstaller({ clock, log, journal, happenings, config, accepted: verifier.readBack })
  const tokens = makeTokens({ documents, nowMs, config, elsewhere: fleet.inTransactionElsewhere })
  const measured = makeIntake({ documents, readings: needs.readings, availability: needs.availability, directory: needs.directory, clock, log, config })
  const command = commands({ clock, log, journal, parts, passwords, config, fleet, tokens, documents, recorder })
  const provisioning = provision({ documents, fleet, passwords, nowMs, journal })
  const schedule = energySchedule({ clock, log, installer })
  const declare = (station: Parameters<typeof measured.declare>[0], evseId: number): void => {
    measured.declare(station, evseId).catch((error: unknown) => log.error({ err: error, station: station.identity }, 'availability'))
  }

  const messages = handlers({
    clock, ids, log, config, documents, journal, parts, tokens, intake: measured,
    accepted(station, fresh) {
      station.session.wake()
      installer.returned(station)
      command.afterBoot(station, fresh)
    },
    changed(station, transaction) {
      fleet.transactionChanged(station, transaction)
      if (transaction.ended) {
        installer.ended(station, transaction.id)
        if (transaction.evseId !== undefined && !station.running(transaction.evseId)) station.needs.delete(transaction.evseId)
      }
      if (transaction.evseId !== undefined) declare(station, transaction.evseId)
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
    login: login({ passwords, config, nowMs, find: fleet.find, enrol: provisioning.enrol }),
    connected(session, presented, replaced) {
      const station = fleet.of(session)
      const first = fleet.connected(station, presented.address, replaced)
      command.settleProfile(station)
      if (first) installer.resume(station)
      installer.returned(station)
    },
  })
  for (const version of ['2.0.1', '1.6', '2.1'] as const) void schemasOf(version).warm(() => !closing)

  return {
    attach: (server) => door.attach(server),
    channel: ocppChannel({ installer, find: fleet.find, log }),
    tokens, fleet, recorder, command, provision: provisioning,
    async close() {
      closing = true
      clock.cancelAll()
      await door.close(config.drainMs)
      await journal.settled()
    },
  }
}
