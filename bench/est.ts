import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { rounded, type Emit } from '#bench/figure.js'
import { buildEnrolment, buildEst, buildRegistry, buildVendors, deviceRequest, newEcKey, preparePki, seedVendor, spkiOf, trustOf } from '#certs/index.js'
import { systemClock as clock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { openDatabase } from '#prisma/database.js'
import { removeEmbedded, startEmbedded } from '#prisma/embedded.js'
import { migrate } from '#prisma/migrate.js'

const singles = 1000, many = 10_000, lanes = 16

/** EST over mutual TLS into a synced database: single enrolments, the largest batch (SEP-232), and device certificates alone. */
export default async function est(emit: Emit): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'loadstone-bench-')), ids = randomIds(clock.nowMs)
  const server = await startEmbedded({ dataDir: join(dir, 'db'), log: silent })
  await migrate(server.url, silent)
  const database = await openDatabase({ url: server.url, log: silent, clock })
  const folder = await preparePki(join(dir, 'pki'), { ids, nowMs: clock.nowMs(), log: silent, seed: 'conformance' })
  const base = { documents: database.stores.documents, tenant: 'bench', clock, ids, log: silent }, registry = buildRegistry(base), vendors = buildVendors(base)
  await registry.start()
  await seedVendor(folder, vendors)
  const app = buildEst({
    tls: folder.tls.ec, clientCas: folder.csip.trust, trust: () => trust, mica: () => folder.csip.mica, vendors, registry, clock, log: silent,
    enrolment: buildEnrolment({ ...base, registry, vendors, mica: () => folder.csip.mica, registration: { issued: async () => {} } }),
    config: { profile: 'csip', production: true, rateLimits: false },
  })
  const trust = trustOf(...folder.csip.trust)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `https://localhost:${(app.server.address() as AddressInfo).port}`
  const agent = new Agent({ connections: lanes, headersTimeout: 300_000, connect: { ca: folder.tls.ca, cert: readFileSync(join(folder.dir, 'vendor-1.pem')), key: readFileSync(join(folder.dir, 'vendor-1.key')) } })
  const post = async (path: string, body: string, type: string): Promise<void> => {
    const answer = await request(`${url}${path}`, { dispatcher: agent, method: 'POST', body, headers: { 'content-type': type } })
    await answer.body.arrayBuffer()
    if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}`)
  }
  try {
    const alone = await seconds(async () => { await folder.issueDevices(Array.from({ length: 2000 }, (_, i) => `A-${i}`)) })
    emit({ name: 'device certificates', value: rounded(2000 / alone), unit: 'certificates/s', n: 2000 })
    const requests = await Promise.all(Array.from({ length: singles }, async (_, i) => (await deviceRequest(newEcKey(), { hwType: '1.3.6.1.4.1.32473.1', hwSerialNum: `S-${i}` })).toString('base64')))
    let next = 0
    const lane = async (): Promise<void> => { for (let body = requests[next++]; body !== undefined; body = requests[next++]) await post('/.well-known/est/simpleenroll', body, 'application/pkcs10') }
    emit({ name: 'est enrolments', value: rounded(singles / await seconds(async () => { await Promise.all(Array.from({ length: lanes }, lane)) })), unit: 'certificates/s', n: singles })
    const rows = JSON.stringify(Array.from({ length: many }, (_, i) => ({ hwSerialNum: `B-${i}`, publicKey: spkiOf(newEcKey()).toString('base64') })))
    emit({ name: 'est batch of 10000', value: rounded(await seconds(() => post('/vendors/vendor-1/batch', rows, 'application/json'))), unit: 's', n: many })
  } finally {
    await agent.close()
    await app.close()
    registry.stop()
    await database.close()
    await server.stop()
    await removeEmbedded(join(dir, 'db'))
    rmSync(dir, { recursive: true, force: true })
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1000
}
