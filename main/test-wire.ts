import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test as Tap } from 'tap'
import { readSettings } from '#cli/settings.js'
import { faultProxy, type FaultProxy } from '#conformance/fault-proxy.js'
import { systemClock, type Clock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import { build } from '#main.js'
import { portBase } from '#main/test-ports.js'

export interface Ask { method?: string; body?: string; headers?: Record<string, string>; tls?: object; patience_ms?: number }
export interface Answer { status: number; body: string; location: string }

/** Status, body and Location, or 0 when the connection failed or the patience was over. */
export const ask = (port: number, path: string, { method = 'GET', body, headers = {}, tls, patience_ms = 8000 }: Ask = {}): Promise<Answer> => new Promise((done) => {
  const failed = (): void => done({ status: 0, body: '', location: '' })
  const sent = (tls ? httpsRequest : httpRequest)({ host: '127.0.0.1', port, path, method, agent: false, timeout: patience_ms, headers: { ...headers, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }) }, ...tls }, (answer) => {
    const parts: Buffer[] = []
    answer.on('data', (d: Buffer) => parts.push(d))
    answer.on('end', () => done({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString(), location: String(answer.headers.location ?? '') }))
    answer.on('error', failed)
  })
  sent.on('error', failed)
  sent.on('timeout', () => sent.destroy())
  sent.end(body)
})

/** One server of the conformance seed on its own or the real clock, its doors, and fault proxies in front of them or of anything else; all of it ends with the test file. */
export async function serverBehindFaults(t: Tap, firstPort: number, clock: Clock = systemClock) {
  const folder = mkdtempSync(join(tmpdir(), 'loadstone-wire-'))
  const pem = (file: string): string => readFileSync(join(folder, 'pki', file), 'utf8')
  const base = await portBase(firstPort)
  const { settings, resolved } = await readSettings({ data: folder, portBase: base }, {}, { host: 'loopback', vtnHttpPort: 8082, rateLimits: false })
  const server = await build({ settings, resolved, data: { path: folder, at: (...parts) => join(folder, ...parts) }, clock, log: silent, seed: 'conformance' })
  const proxies: FaultProxy[] = []
  t.teardown(async () => { await Promise.all(proxies.map((p) => p.close())); await server.stop(); rmSync(folder, { recursive: true, force: true }) })
  const door = { operator: base, vtn: base + 2, mqtt: base + 3, csip: base + 4, est: base + 5, ocpp: base + 6 }
  return {
    folder, pem, door, ready: server.ready,
    through: async (port: number): Promise<FaultProxy> => { const proxy = await faultProxy({ port }); proxies.push(proxy); return proxy },
    /** TLS of a 2030.5 client, by the name of its certificate in the seed. */
    client: (name: string) => ({ ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', ecdhCurve: 'prime256v1', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', key: pem(`${name}.key`), cert: pem(`${name}.pem`) + pem('chain.pem'), ca: pem('serca.pem'), checkServerIdentity: () => undefined }),
    vtnToken: async (id: string, secret: string): Promise<string> => (JSON.parse((await ask(door.vtn, '/openadr3/3.1.1/auth/token', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `grant_type=client_credentials&client_id=${id}&client_secret=${secret}` })).body) as { access_token: string }).access_token,
  }
}
