import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { createRoot, indefinite, serialFrom } from '#certs/authority.js'
import { journalFile } from '#certs/block-journal.js'
import { preparePki } from '#certs/pki-folder.js'
import { Kind } from '#certs/record.js'
import { buildRegistry } from '#certs/registry.js'
import { buildRevocation } from '#certs/revocation.js'
import { seedCertificates } from '#certs/seed.js'
import { child, readDer } from '#certs/x509/der.js'
import { keySigner, newEcKey } from '#certs/x509/signer.js'
import { testDatabase } from '#prisma/test-database.js'

const start = Date.UTC(2026, 10, 29), clock = handClock(start), db = await testDatabase({ clock }), folder = mkdtempSync(join(tmpdir(), 'loadstone-blocks-'))
t.teardown(async () => { await db.close(); rmSync(folder, { recursive: true, force: true }) })

t.test('REL-091 revocations do not go back with a restored database', async (t) => {
  const file = join(folder, 'revocations.jsonl'), said: string[] = []
  const open = async () => {
    const registry = buildRegistry({ documents: db.stores.documents, tenant: db.tenant, clock, log: { ...silent, warn: (_: object, text = '') => { said.push(text) } }, journal: journalFile(file) })
    await registry.start()
    t.teardown(() => registry.stop())
    return registry
  }
  const [a, b, later] = ['A'.repeat(40), 'B'.repeat(40), 'C'.repeat(40)] as const, first = await open()
  for (const id of [a, b]) await first.block({ id, what: 'certificate', reason: 'stolen', by: 'alice' })
  await first.block({ id: later, what: 'certificate', reason: 'superseded', by: 'est', fromMs: start + 1000 })
  await first.unblock(b)
  t.equal(statSync(file).mode & 0o777, 0o600)
  appendFileSync(file, '{"id":"cut sho')
  // yesterday's database comes back
  for (const id of [a, later]) await db.stores.documents.remove(db.tenant, Kind.block, id)
  const again = await open()
  t.same([again.isBlocked(a), again.isBlocked(b), again.isBlocked(later)], [true, false, false])
  await clock.advance(1000)
  t.ok(again.isBlocked(later), 'from its own time on')
  t.match(said, [/older than its revocations/])
  t.equal(await db.stores.documents.count(db.tenant, { kind: Kind.block }), 2, 'they are in the store again')
  await open()
  t.equal(said.length, 1, 'and said once')
})

t.test('REL-091 the number of a CRL never falls, a serial number never comes back', async (t) => {
  const ids = randomIds(() => clock.nowMs()), signer = keySigner(newEcKey())
  const authority = await createRoot({ serial: serialFrom(ids.hex(16)), subject: [{ CN: ['OCPP root'] }], validity: { fromMs: start - 1000, toMs: indefinite } }, signer)
  const numbers: bigint[] = []
  for (let i = 0; i < 3; i++) {
    // each time a process that knows nothing of the others, as after a restore
    const crl = await buildRevocation({ ocpp: { authority, statusOf: async () => undefined, revoked: async () => [] } }, clock).crl('ocpp')
    const extensions = child(child(readDer(crl), 0).children.find((c) => c.tag === 0xa0)!, 0).children, number = extensions.find((e) => e.raw.includes(Buffer.from('551d14', 'hex')))!
    numbers.push(BigInt(`0x${readDer(number.children.at(-1)!.content).content.toString('hex')}`))
    await clock.advance(1000)
  }
  t.ok(numbers[0]! < numbers[1]! && numbers[1]! < numbers[2]!, numbers.join(' < '))
  t.equal(new Set(Array.from({ length: 20_000 }, () => serialFrom(ids.hex(16)))).size, 20_000, '128 random bits: nothing counts, so nothing can go back')
})

t.test('SEP-231 the certificates of the conformance seed stand in the registry: revoked like any other, told once', async (t) => {
  const pki = await preparePki(join(folder, 'seed-pki'), { ids: randomIds(() => start), nowMs: start, log: silent, seed: 'conformance' })
  const registry = buildRegistry({ documents: db.stores.documents, tenant: db.tenant, clock, log: silent })
  await registry.start()
  t.teardown(() => registry.stop())
  for (let i = 0; i < 2; i++) await seedCertificates(pki, registry)
  const all = await registry.list({ vendor: 'vendor-1' })
  t.same(all.map((c) => c.hwSerialNum).sort(), ['aggregator-1', 'device-1', 'device-2', 'device-3', 'device-4', 'device-5'])
  const { lfdi, sfdi, pin } = pki.devices['device-1']!
  t.match(await registry.byLfdi(lfdi), { state: 'valid', lfdi, sfdi, pin, hwSerialNum: 'device-1', requester: 'seed' })
  await registry.revoke(lfdi, 'unspecified', 'op')
  t.ok(registry.isBlocked(lfdi))
  await seedCertificates(pki, registry)
  t.match(await registry.byLfdi(lfdi), { state: 'revoked' }, 'a start does not bring it back')
})
