import type { Csms } from './csms.js'
import { chainStatus } from './chain-status.js'
import { commands } from './command.js'
import { crls } from './crl.js'
import { contractCheck } from './contract-certificate.js'
import { ocppChannel } from './dispatch-channel.js'
import { customers as makeCustomers } from './customers.js'
import { answers, elsewhere, here } from './elsewhere.js'
import { login } from './identity.js'
import { intake as makeIntake } from './intake.js'
import { journal as makeJournal } from './journal.js'
import { campaigns } from './firmware-campaign.js'
import type { CsmsNeeds } from './needs.js'
import { networkWalk } from './network-walk.js'
import { ocmf } from './ocmf.js'
import { ocsp as makeOcsp } from './ocsp.js'
import { ownTimers } from './own-timers.js'
import { partsJoiner } from './parts.js'
import { passwords as makePasswords } from './password.js'
import { pluggedIn } from './payments.js'
import { provision } from './provision.js'
import { handlers } from './registry.js'
import { Door, doorDefaults } from './rpc/door.js'
import { masked, Recorder } from './rpc/recorder.js'
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
import { keepStream } from './message/periodic-event-stream.js'
import { eventTaker } from './message/transaction-event.js'
import { stationLog } from './station-log.js'
import { declaring } from './declaring.js'
import { insisting } from './insist.js'
import { fleet as makeFleet } from './fleet.js'
import { neighbours as makeNeighbours } from './neighbours.js'
import { mayCall, mayHear } from './registration.js'
import type { Installer } from './smart-charging/installer.js'
import { keyOf, type Station } from './station.js'
import { tariffs } from './tariff.js'
import { isoMs } from './time.js'
import { untold as makeUntold } from './untold.js'
import { uploads } from './upload.js'
import { watch } from './watch.js'
import { tokens as makeTokens } from './tokens.js'
import { tokenUse } from './token-use.js'
import { offered } from './wire/offered.js'

export type { Csms } from './csms.js'

/** A change of so many tokens is worth an empty cache in each station (OCPP-119). */
const manyTokens = 20

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
  const plugged = pluggedIn(needs.payments ?? {})
  const answer = new Map<string, (session: Session, payload: Payload) => object | Promise<object>>()
  let closing = false

  const fleet = makeFleet({
    documents, log, clock,
    session: {
      log, ids, nowMs, limits: { ...sessionLimits, callTimeoutMs: config.callTimeoutMs, badFrames: config.badFramesPerMinute || Infinity },
      offered: (action, version) => offered(action, version, plugged),
      mayHear: (session, action) => mayHear(fleet.of(session), action, clock.nowMs()),
      mayCall: (session, action) => mayCall(fleet.of(session), action),
      answer(session, action, payload) {
        const handle = answer.get(`${session.version} ${action}`)
        if (!handle) throw new CallRefused('NotSupported')
        const awaited = fleet.of(session).triggered.get(action)
        if (awaited?.state === 'awaited') awaited.state = 'came'
        return handle(session, payload)
      },
      hear(session, action, payload) {
        keepStream(journal, clock, fleet.of(session), payload as never).catch((error: unknown) => log.error({ err: error, station: session.identity, action }, 'stream'))
      },
      record(session, direction, text) {
        const { tenant, key } = fleet.of(session)
        recorder.add(key, clock.nowMs(), direction, text)
        needs.heard?.(tenant, session.identity, clock.nowMs(), direction, () => masked(text))
      },
      gone(session) {
        door.left(session)
        if (session.online) return
        const station = fleet.of(session)
        station.onlineSince = undefined
        near.left(station.key)
      },
      alarm(session, what) {
        fleet.of(session).flag(new Date(clock.nowMs()).toISOString(), what)
        log.warn({ station: session.identity, what, alarm: true }, 'alarm')
      },
    },
  })
  const verifier = verification({ clock, log, journal, config, fleetSize: () => fleet.online().length })
  const insist = insisting({ clock, log })
  const installer: Installer = makeInstaller({ clock, log, journal, happenings, config, insist, accepted: verifier.readBack, soon: (station) => compare(station) })
  const reconcile = reconciler({ parts, log, installer, nowMs })
  /** OCPP-201, in the background. */
  function compare(station: Station): void {
    if (config.reconcile && station.session.online) reconcile(station).catch((error: unknown) => log.info({ station: station.identity, cause: String(error), clause: 'OCPP-201' }, 'not reconciled'))
  }
  const holdsOurs = (station: Station): boolean => [...station.ledger.values()].some((e) => e.state === 'installed')
  const inUse = tokenUse({ documents, nowMs })
  const tokens = makeTokens({
    documents, clock, config, elsewhere: inUse.elsewhere,
    changed: (tenant, count) => caches(tenant, count),
    silent: (tenant, identity) => { void fleet.find(tenant, identity).then((station) => station?.flag(isoMs(nowMs()), `authorization was silent: fail ${config.authorizationFails}`)) },
  })
  const money = tariffs({ documents, nowMs, usual: config.tariff }), ocsp = makeOcsp({ fetch: needs.ocspFetch, clock })
  const contracts = contractCheck({ ocsp, roots: config.mobilityRoots, nowMs })
  const signatures = needs.meterSignatures ?? new Map([['ocmf', ocmf]])
  const upload = uploads({ store: needs.uploads, documents, tenant: config.tenant, clock, ids, log })
  const measured = makeIntake({ documents, readings: needs.readings, availability: needs.availability, directory: needs.directory, clock, log, config })
  const untold = makeUntold({ core: needs.untold, intake: measured, journal })
  const command = commands({ clock, log, journal, parts, passwords, config, fleet, tokens, documents, untold })
  const inBackground = (station: Station, action: string, payload: object, clause: string): void => {
    command(station.identity, action, payload, station.tenant).catch((error: unknown) => log.info({ station: station.identity, action, clause, cause: String(error) }, 'no answer'))
  }
  /** OCPP-119: many tokens changed at once; what stations remember of them is old. */
  function caches(tenant: string, count: number): void {
    if (count < manyTokens) return
    for (const station of fleet.online()) if (station.tenant === tenant && station.actual('AuthCacheCtrlr', 'Enabled') === 'true') inBackground(station, 'ClearCache', {}, 'OCPP-119')
  }
  const provisioning = provision({ documents, fleet, passwords, nowMs, journal, admission: config.admission })
  const own = here({ fleet, installer, provisioning, recorder, walk: networkWalk({ clock, journal, command: (...args) => command(...args) }) })
  const near = makeNeighbours({ bus: needs.bus, ids, log, moved: (key) => { recorder.forget(key); fleet.moved(key) }, answer: answers({ fleet, installer, log, command, own }) })
  const schedule = energySchedule({ clock, log, installer })
  const declare = declaring({ intake: measured, insist })

  const takeEvent = eventTaker({
    clock, log, documents, journal, tokens, tokenUse: inUse, tariffs: money, intake: measured, signatures,
    async changed(station, transaction) {
      if (transaction.ended) {
        installer.ended(station, transaction.id)
        if (transaction.evseId !== undefined && !station.running(transaction.evseId)) {
          station.needs.delete(transaction.evseId)
          station.free.delete(transaction.evseId)
        }
      }
      if (transaction.evseId !== undefined) await declare.now(station, transaction.evseId)
    },
    orphaned(station, { id }) {
      // The answer to the event goes first.
      if (station.session.version !== '1.6') clock.after(0, () => inBackground(station, 'GetTransactionStatus', { transactionId: id }, 'OCPP-142'))
    },
  })
  const customers = makeCustomers({ documents, journal, clock, ids, secret: config.secret })
  const messages = handlers({
    clock, log, config, documents, journal, parts, tokens, customers, tariffs: money, contracts, ocsp, signatures, intake: measured, takeEvent, stationLog: stationLog({ clock, ids, log, journal }),
    chains: chainStatus({ ocsp, crls: crls({ fetch: needs.crlFetch, clock }), anchors: [...config.mobilityRoots, ...config.stationRoots], nowMs }),
    vendors: needs.vendors ?? new Map(), ...(needs.payments ? { payments: needs.payments } : {}), ...(needs.signer ? { signer: needs.signer } : {}), ...(needs.vehicles ? { vehicles: needs.vehicles } : {}),
    capped(station, evseId) {
      for (const id of evseId === 0 ? station.evses() : [evseId]) declare.soon(station, id)
    },
    renegotiate(station, evseId) {
      const wants = station.needs.get(evseId)
      if (wants) schedule(station, evseId, wants)
    },
    accepted(station, fresh) {
      station.session.wake()
      installer.returned(station)
      command.afterBoot(station, fresh)
      installBaseline(station, installer, log, reconcile).catch((error: unknown) => log.error({ err: error, station: station.identity, clause: 'OCPP-245' }, 'baseline'))
      // Profiles survive reboots (K01.FR.27); that they did is verified (OCPP-100, 201).
      if (holdsOurs(station)) compare(station)
    },
    // OCPP-030, 042: what it came with is only good for getting its own.
    pending(station) {
      if (station.certificate?.expired) clock.after(0, () => inBackground(station, 'TriggerMessage', { requestedMessage: 'SignChargingStationCertificate' }, 'OCPP-030'))
      else if (station.record.factoryCredentials && station.profileInUse < 3) clock.after(0, () => replacePassword(station))
    },
    async renewed(station) {
      delete station.record.factoryCredentials
      await journal.write([station.document()])
    },
    async overridden(station, evseId) {
      await installer.optOut(station, evseId, 'priority charging')
    },
    paced: (station, transaction) => { if (transaction.evseId !== undefined) declare.soon(station, transaction.evseId) },
    progressed: (station, action, status, requestId) => { if (action === 'FirmwareStatusNotification') firmware.progressed(station, status, requestId) },
    wanted(station, evseId, wants) {
      schedule(station, evseId, wants)
      declare.soon(station, evseId)
    },
  })
  /** OCPP-042: a password of ours in place of the maker's; the operator never needs to see it. */
  function replacePassword(station: Station): void {
    const attributeValue = passwords.generate()
    if (station.session.version === '1.6') return inBackground(station, 'ChangeConfiguration', { key: 'AuthorizationKey', value: attributeValue }, 'OCPP-042')
    inBackground(station, 'SetVariables', { setVariableData: [{ attributeValue, component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } }] }, 'OCPP-042')
  }
  for (const { action, versions, handle } of messages) {
    for (const version of versions ?? ['1.6', '2.0.1', '2.1']) answer.set(`${version} ${action}`, (session, payload) => handle(fleet.of(session), payload as never))
  }

  /** After a restart of ours: what was committed and perhaps not told or done any more. */
  function goOn(station: Station): void {
    installer.resume(station)
    for (const { id, ended, evseId } of station.transactions.values()) {
      if (ended || evseId === undefined) continue
      declare.soon(station, evseId)
      const wants = station.needs.get(evseId)
      if (wants && ![...station.ledger.values()].some((e) => e.profile.transactionId === id)) schedule(station, evseId, wants)
    }
  }

  const door: Door = new Door({
    log,
    config: {
      ...doorDefaults, paths: new Map([[config.path, config.tenant]]), maxPayload: config.maxPayload, failuresPerMinute: config.failuresPerMinute,
      refusalDelayMs: config.refusalDelayMs, pingIntervalMs: config.pingIntervalMs,
    },
    serve: (request, response) => upload.serve(request, response),
    login: login({ passwords, config, nowMs, find: (tenant, id) => (near.ownerOf(keyOf(tenant, id)) === undefined ? fleet.find(tenant, id) : fleet.fresh(tenant, id)), glance: (tenant, id) => documents.get(tenant, 'csms/Station', id), enrol: provisioning.enrol, ...(needs.revoked ? { revoked: needs.revoked } : {}) }),
    connected(session, presented, replaced) {
      const station = fleet.of(session)
      const first = fleet.connected(station, presented.address, replaced)
      near.joined(station.key)
      command.settleProfile(station)
      if (first) goOn(station)
      installer.returned(station)
      // OCPP-030: held from the first frame on, not from the next boot.
      if (station.certificate?.expired) station.record.registration = 'pending'
      else if (station.record.registration === 'accepted' && holdsOurs(station)) compare(station)
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
  // OCPP-223: what was told of customers is gone in time, whoever speaks or not.
  const forget = (): void => {
    customers.purge(config.tenant).catch((error: unknown) => log.error({ err: error, clause: 'OCPP-223' }, 'customer information was not dropped'))
    clock.after(3_600_000, forget)
  }
  clock.after(60_000, forget)
  const sites = siteBalancer({ clock, log, stations: fleet.known, installer, assumedStackLevel: config.assumedStackLevel })
  clock.after(60_000, () => void sites.balance())
  clock.after(60_000, watch({ clock, log, online: fleet.online, command, compare, untold, asksForQueue: config.reconcile }).look)
  const anywhere = elsewhere({ near, own, command, tenant: config.tenant, log })
  const firmware = campaigns({ clock, ids, log, documents, find: fleet.find, command: (...args) => anywhere.command(args[0], args[1], args[2], args[3]) })
  // after the doors are open: a schema that is needed before is compiled then
  clock.after(2000, () => { for (const version of ['2.0.1', '1.6', '2.1'] as const) void schemasOf(version).warm(() => !closing) })
  return {
    attach: (server) => door.attach(server),
    channel: ocppChannel({ installer, find: fleet.find, log, near }), ...anywhere,
    tokens, fleet, recorder, customers, reconcile, provision: provisioning, tariffs: money, uploads: upload, campaigns: firmware,
    async close() {
      closing = true
      clock.cancelAll()
      await door.close(config.drainMs)
      await near.close()
      await journal.settled()
    },
  }
}
