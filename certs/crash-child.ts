import { randomIds } from '#core/port/ids.js'
import { systemClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import { buildEnrolment } from '#certs/enrol.js'
import { preparePki } from '#certs/pki-folder.js'
import { buildRegistry } from '#certs/registry.js'
import { buildVendors } from '#certs/vendor.js'
import { openDatabase } from '#prisma/database.js'

/** The issuing of certificates in a process of its own, for the test that kills it (SEC-025). Told requests, it says what it issued. */
process.once('message', (told: { url: string; tenant: string; dir: string }) => {
  void (async () => {
    const ids = randomIds(() => systemClock.nowMs()), database = await openDatabase({ url: told.url, log: silent, clock: systemClock, poolSize: 3 })
    const base = { documents: database.stores.documents, tenant: told.tenant, clock: systemClock, ids, log: silent }
    const folder = await preparePki(told.dir, { ids, nowMs: systemClock.nowMs(), log: silent, seed: 'conformance' })
    const registry = buildRegistry(base), vendors = buildVendors(base)
    const enrolment = buildEnrolment({ ...base, registry, vendors, mica: () => folder.csip.mica, registration: { issued: async () => {} } })
    const vendor = (await vendors.get('vendor-1'))!
    // Eight at a time, as many as a door would let in; what the database was too slow for is asked again.
    const lanes: Promise<void>[] = Array.from({ length: 8 }, () => Promise.resolve())
    let n = 0
    const ask = async (csr: string): Promise<void> => {
      const issued = await enrolment.enrol(Buffer.from(csr, 'base64'), { kind: 'vendor', vendor }).catch(() => undefined)
      if (!issued) await ask(csr)
      else if (issued.kind === 'issued') process.send?.({ csr, lfdi: issued.lfdi, hwSerialNum: issued.hwSerialNum })
    }
    process.on('message', ({ csr }: { csr: string }) => { const lane = n++ % 8; lanes[lane] = (lanes[lane] as Promise<void>).then(() => ask(csr)) })
    process.send?.({ ready: true })
  })()
})
