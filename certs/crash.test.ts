import { fork, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { systemClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { preparePki } from '#certs/pki-folder.js'
import { Kind } from '#certs/record.js'
import type { CertificateRecord } from '#certs/record.js'
import { seedVendor } from '#certs/seed.js'
import { buildVendors } from '#certs/vendor.js'
import { deviceRequest } from '#certs/x509/request.js'
import { newEcKey } from '#certs/x509/signer.js'
import { testDatabase } from '#prisma/test-database.js'

/** Kills: 4, or the hundred of SEC-025 with LOADSTONE_TEST_SCALE=25. */
const kills = 4 * Number(process.env['LOADSTONE_TEST_SCALE'] ?? 1)
const db = await testDatabase(), dir = mkdtempSync(join(tmpdir(), 'ls-crash-')), ids = randomIds(() => systemClock.nowMs())
const base = { documents: db.stores.documents, tenant: db.tenant, clock: systemClock, ids, log: silent }
await seedVendor(await preparePki(dir, { ids, nowMs: systemClock.nowMs(), log: silent, seed: 'conformance' }), buildVendors(base))
t.teardown(async () => { await db.close(); rmSync(dir, { recursive: true, force: true }) })

const file = fileURLToPath(new URL(`./crash-child${extname(fileURLToPath(import.meta.url))}`, import.meta.url))
async function started(): Promise<ChildProcess> {
  const child = fork(file, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: process.execArgv.filter((a) => !a.startsWith('--import=/') || a.includes('tsx')) })
  child.send({ url: db.url, tenant: db.tenant, dir })
  await once(child, 'message')
  return child
}
interface Issued { readonly csr: string; readonly lfdi: string; readonly hwSerialNum: string }

t.test(`SEC-025 kill -9 ×${kills}: serial numbers are unique, what was handed out is on record, and the same request ends with one certificate`, { timeout: 60_000 + kills * 15_000 }, async (t) => {
  const asked: string[] = [], issued = new Map<string, Issued>(), differing: Issued[] = []
  const hear = (one: Issued): void => { const before = issued.get(one.csr); if (before && before.lfdi !== one.lfdi) differing.push(one); else issued.set(one.csr, one) }
  for (let round = 0; round < kills; round++) {
    const child = await started(), exited = once(child, 'exit'), enough = issued.size + 5
    child.on('message', hear)
    // What the last kill left open is asked again, together with what is new.
    for (const csr of asked.filter((c) => !issued.has(c))) child.send({ csr })
    for (let i = 0; i < 12; i++) {
      const csr = (await deviceRequest(newEcKey(), { hwType: '1.3.6.1.4.1.32473.1', hwSerialNum: `K-${round}-${i}` })).toString('base64')
      asked.push(csr)
      child.send({ csr })
    }
    while (issued.size < enough) await new Promise((r) => setTimeout(r, 2))
    await new Promise((r) => setTimeout(r, randomInt(0, 25)))
    child.kill('SIGKILL')
    await exited
  }
  const child = await started(), exited = once(child, 'exit')
  child.on('message', hear)
  for (const csr of asked) child.send({ csr })
  while (issued.size < asked.length) await new Promise((r) => setTimeout(r, 5))
  child.kill('SIGKILL')
  await exited
  t.same(differing, [], 'nobody got two')
  const records = (await db.stores.documents.list<CertificateRecord>(db.tenant, { kind: Kind.certificate })).map((d) => d.body)
  t.equal(records.length, asked.length)
  t.equal(new Set(records.map((r) => r.serial)).size, asked.length)
  const byLfdi = new Map(records.map((r) => [r.lfdi, r]))
  t.same([...issued.values()].filter((i) => byLfdi.get(i.lfdi)?.state !== 'valid' || byLfdi.get(i.lfdi)?.hwSerialNum !== i.hwSerialNum), [])
})
