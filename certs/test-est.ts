import { spawnSync } from 'node:child_process'
import type { KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { handClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import type { Authority } from '#certs/authority.js'
import { buildEnrolment } from '#certs/enrol.js'
import type { EnrolmentNeeds, Registered } from '#certs/enrol.js'
import { preparePki } from '#certs/pki-folder.js'
import { trustOf } from '#certs/profile/trust.js'
import { Kind } from '#certs/record.js'
import { buildRegistry } from '#certs/registry.js'
import { seedVendor } from '#certs/seed.js'
import { buildEst } from '#certs/server.js'
import { buildVendors } from '#certs/vendor.js'
import { certificatesOf } from '#certs/x509/pkcs7.js'
import { deviceRequest } from '#certs/x509/request.js'
import { newEcKey } from '#certs/x509/signer.js'
import { testDatabase } from '#prisma/test-database.js'

export interface Ask { method?: string; path: string; body?: string | Buffer; type?: string | null; user?: { hwSerialNum: string; secret: string }; as?: { cert: string; key: string }; headers?: Record<string, string>; port?: number }
export interface Answer { status: number; headers: Record<string, string | string[] | undefined>; body: string; raw: Buffer }

export const start = Date.UTC(2026, 10, 21), pen = 32473, est = '/.well-known/est'
const has = (tool: string, flag = 'version'): boolean => spawnSync(tool, [flag]).status === 0
export const hasOpenssl = has('openssl'), hasCurl = has('curl', '--version')

export const leafOf = (answer: Answer): Buffer => certificatesOf(Buffer.from(answer.body, 'base64'))[0]!
/** A request for a device, with its key. */
export const request = async (hwSerialNum: string, key = newEcKey(), hwType = `1.3.6.1.4.1.${pen}.1`): Promise<{ key: KeyObject; csr: Buffer; body: string }> => {
  const csr = await deviceRequest(key, { hwType, hwSerialNum })
  return { key, csr, body: csr.toString('base64') }
}

/** An EST door on the network, above the conformance seed in a folder and a database of its own; a hand-moved clock. */
export async function estUnderTest() {
  const clock = handClock(start), ids = randomIds(() => start), dir = mkdtempSync(join(tmpdir(), 'ls-est-'))
  const db = await testDatabase({ clock }), registered: Registered[] = []
  const folder = await preparePki(dir, { ids, nowMs: start, log: silent, seed: 'conformance', validity: { fromMs: Date.UTC(2020, 0), toMs: Date.UTC(2090, 0) } })
  const base = { documents: db.stores.documents, tenant: db.tenant, clock, ids, log: silent }
  const registry = buildRegistry(base)
  await registry.start()
  const vendors = buildVendors(base)
  await seedVendor(folder, vendors)
  await seedVendor(folder, vendors)
  let issuing = folder.csip.mica
  const needs: EnrolmentNeeds = { ...base, registry, vendors, mica: () => issuing, registration: { issued: async (entries) => { registered.push(...entries) } } }
  const enrolment = buildEnrolment(needs)
  const door = (rateLimits: boolean): FastifyInstance => buildEst({
    tls: folder.tls.ec, clientCas: [...folder.csip.trust, folder.tls.ca], trust: () => trustOf(...folder.csip.trust), mica: () => issuing, enrolment, vendors, registry, clock, log: silent,
    config: { profile: 'csip', production: true, rateLimits },
  })
  const app = door(false)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const port = (app.server.address() as AddressInfo).port
  const ask = ({ method, path, body, type = 'application/pkcs10', user, as, headers = {}, port: to = port }: Ask): Promise<Answer> => new Promise((done, fail) => {
    const request = httpsRequest({
      port: to, host: '127.0.0.1', servername: 'localhost', ca: folder.tls.ca, method: method ?? (body === undefined ? 'GET' : 'POST'), path, agent: false, ...as,
      headers: { ...(body === undefined || type === null ? {} : { 'content-type': type }), ...(user ? { authorization: `Basic ${Buffer.from(`${user.hwSerialNum}:${user.secret}`).toString('base64')}` } : {}), ...headers },
    }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (c: Buffer) => chunks.push(c))
      response.on('end', () => { const raw = Buffer.concat(chunks); done({ status: response.statusCode ?? 0, headers: response.headers, body: raw.toString(), raw }) })
    })
    request.on('error', fail)
    request.end(body)
  })
  return {
    clock, ids, dir, db, registered, folder, registry, vendors, enrolment, needs, door, port, ask,
    secretOf: (i: number): { secret: string; hwSerialNum: string } => folder.est!.secrets[i]!,
    /** As a reload does after `ca issue-mica --replace`. */
    replaceMica: (by: Authority): void => { issuing = by },
    vendor1: (): { cert: string; key: string } => ({ cert: readFileSync(join(dir, 'vendor-1.pem'), 'utf8'), key: readFileSync(join(dir, 'vendor-1.key'), 'utf8') }),
    certificates: (): Promise<number> => db.stores.documents.count(db.tenant, { kind: Kind.certificate }),
    async close(): Promise<void> {
      await app.close()
      registry.stop()
      await db.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
