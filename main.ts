import { appendFile } from 'node:fs/promises'
import { Registry } from 'prom-client'
import { standingOf } from '#certs/index.js'
import { assemble } from '#core/assemble.js'
import { clockWatch } from '#core/dispatch/clock-watch.js'
import { anchorDaily } from '#core/audit/anchor.js'
import { watchServiceLevels } from '#core/kpi/watch-levels.js'
import { systemClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { openCertificates } from '#main/certificates.js'
import { deviceCertificates } from '#main/devices.js'
import { enrolmentOf, listenCsip, listenCsms, listenEst, listenVtn, openCsip, openCsms, openVtn, type DoorNeeds } from '#main/doors.js'
import { enrolSeed } from '#main/enrol-seed.js'
import { listenOperator, type OperatorNeeds } from '#main/operator.js'
import { collectMetrics } from '#main/metrics.js'
import { outboundTasks } from '#main/outbound.js'
import { Parts } from '#main/parts.js'
import { followFolder } from '#main/reload.js'
import { serverSecret } from '#main/secret.js'
import { seedConformance } from '#main/seed-conformance.js'
import { Closing, firstTenant, type BuildOptions, type Door, type Loadstone, type ReadyLine } from '#main/shape.js'
import { openStorage } from '#main/storage.js'
import { saying } from '#main/telemetry/log.js'
import { telemetryOf } from '#main/telemetry/open.js'
import { version } from '#main/version.js'

export type { BuildOptions, Loadstone, ReadyLine } from '#main/shape.js'

const everyDoor: readonly Door[] = ['vtn', 'csip', 'csms', 'est', 'operator']

/**
 * Builds everything and opens the doors. All rooms exist even when their door is off, so that a dispatch always has its channels;
 * the clockwork starts when every channel is there, and stops first.
 */
export async function build(options: BuildOptions): Promise<Loadstone> {
  const { clock, seed, only = everyDoor } = options
  const machine = systemClock, ids = randomIds(() => machine.nowMs()), closing = new Closing()
  const telemetry = await telemetryOf(options, { clock: machine, ids }, closing), log = telemetry ? saying(options.log, telemetry.logFields) : options.log
  try {
    const database = await openStorage(options, closing), stillWanted = (): void => options.signal?.throwIfAborted()
    stillWanted()
    const core = assemble({ database, clock, ids, log, ...(telemetry ? { trace: telemetry.trace } : {}), tasks: outboundTasks(options, closing), clockFault: clockWatch(() => machine.nowMs(), () => performance.now()) })
    const certificates = await openCertificates(options, { database, machine, ids }, closing)
    stillWanted()
    core.recognise(deviceCertificates({ certificates, machine, settings: options.settings, production: seed === undefined }), standingOf(certificates.registry, machine))
    const parts = new Parts(), needs: DoorNeeds = { options, core, certificates, machine, ids, log, closing, parts }
    parts.disk(options.data.path)
    const vtn = await openVtn(needs)
    stillWanted()
    const csip = openCsip(needs), csms = openCsms(needs, serverSecret(options, () => ids.hex(32)))
    core.connect({ openadr: vtn.channel, ieee2030_5: csip.channel, ocpp: csms.channel })
    if (seed === 'conformance') await seedConformance({ core, csip, csms, pki: certificates.pki, enrol: (caller, wanted) => enrolSeed(core, caller, wanted) })
    stillWanted()
    const enrolment = enrolmentOf(csip, needs), metrics = new Registry()
    collectMetrics(metrics, { ...needs, csip, csms, version: version() })
    if (telemetry) closing.add('metrics on their way', telemetry.metricsOf(metrics))
    core.timetable.start()
    closing.add('timetable', () => core.timetable.stop())
    keepWatch(needs)
    const doors = await openDoors(only, { vtn, csip, csms, enrolment, metrics }, needs)
    await followFolder(needs, seed !== 'demo' && !process.stdout.isTTY)
    const ready: ReadyLine = { ready: true, ...doors, pki: certificates.pki.dir }
    return { ready, database, core, pki: certificates.pki, certificates, vtn, csip, csms, stop: () => closing.run(log) }
  } catch (error) {
    await closing.run(log)
    throw error
  }
}

/** What is looked after by the day or the minute, whoever comes to the doors. */
function keepWatch({ options, core, log, closing }: DoorNeeds): void {
  const { clock } = options, { stores } = core.database
  // appended, never rewritten: an operator points LOADSTONE_AUDIT_HEADS at a medium that keeps it so (CORE-232)
  const heads = options.settings.auditHeads || options.data.at('audit-heads.jsonl')
  closing.add('audit heads', anchorDaily({ stores, clock, log, tenants: [firstTenant], put: (head) => appendFile(heads, `${JSON.stringify(head)}\n`, { mode: 0o644 }) }))
  closing.add('service levels', watchServiceLevels({ transact: core.transact, stores, clock, log, tenants: [firstTenant] }))
}

/** The doors that are wanted, the operator's last: who finds it open finds the others too. */
async function openDoors(only: readonly Door[], rooms: Omit<OperatorNeeds, keyof DoorNeeds>, needs: DoorNeeds): Promise<Omit<ReadyLine, 'ready' | 'pki'>> {
  return {
    ...(only.includes('vtn') ? await listenVtn(rooms.vtn, needs) : {}),
    ...await named('csip', only.includes('csip') ? listenCsip(rooms.csip, needs) : undefined),
    ...(only.includes('csms') ? await listenCsms(rooms.csms, needs) : {}),
    ...await named('est', only.includes('est') ? listenEst(rooms.enrolment, needs) : undefined),
    ...(only.includes('operator') ? await listenOperator({ ...needs, ...rooms }) : {}),
  }
}

async function named(name: 'csip' | 'est', url: Promise<string | undefined> | undefined): Promise<Partial<ReadyLine>> {
  const found = await url
  return found === undefined ? {} : { [name]: found }
}
