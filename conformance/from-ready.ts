import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '#core/error.js'
import { packageRoot } from '#core/package-root.js'
import { certificationProfiles } from '#conformance/procedure/csms/certification.js'
import type { Subject } from '#conformance/procedure.js'
import type { TargetFile } from '#conformance/target.js'

interface ReadyLine { readonly ready: true; readonly pki: string; readonly [door: string]: unknown }

/** Everything of contract §4 from a saved ready line of `serve --seed conformance` (`--from FILE`). */
export function fromReady(path: string, subject: Subject): TargetFile {
  const line = readFileSync(path, 'utf8').split('\n').find((l) => l.includes('"ready"'))
  if (!line) throw new Refusal('invalid', `${path} holds no ready line; save the line that 'loadstone serve --seed conformance' prints`)
  const ready = JSON.parse(line) as ReadyLine
  const read = (name: string): string => readFileSync(join(ready.pki, name), 'utf8')
  const tls = { ca: read('tls-ca.pem') }
  return { vtn, csip, csms, est, ven }[subject](ready, read, tls)
}

type Read = (name: string) => string

const vtn = (ready: ReadyLine, _read: Read, tls: { ca: string }): TargetFile => ({
  target: String(ready.vtn),
  targets: { '3.0.1': String(ready.vtn).replace(/3\.1\.\d+$/, '3.0.1') },
  capabilities: ['authenticating', 'decisions', 'etag', 'body-limit', 'token-basic', 'program-name-filter', 'openapi', 'two-revisions', 'idempotency-key', 'privacy-301', 'payload-warn', 'webhook', 'webhook-loopback', 'tls', 'token-endpoint', 'mqtt', ...(ready.vtnHttp ? ['http'] : [])],
  values: {
    bl_id: 'bl_client', bl_secret: '1001', ven_id: 'ven_client', ven_secret: '999', ven2_id: 'ven_client2', ven2_secret: '9999', base301: String(ready.vtn).replace(/3\.1\.\d+$/, '3.0.1'), alias310: String(ready.vtn).replace(/3\.1\.\d+$/, '3.1.0'), alias31: String(ready.vtn).replace(/3\.1\.\d+$/, '3.1'), ven_basic: Buffer.from('ven_client:999').toString('base64'),
    operator: ready.operator, operatorToken: ready.operatorToken, ...(ready.vtnHttp ? { http: ready.vtnHttp } : {}), ...(ready.mqtt ? { mqtt: ready.mqtt } : {}),
  },
  identities: { default: tls },
})

function csip(ready: ReadyLine, read: Read): TargetFile {
  const lfdi = JSON.parse(read('lfdi.json')) as Record<string, { lfdi: string; sfdi: number; pin: number }>
  const trust = { ca: read('serca.pem'), ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', insecure: true }
  const names = ['device-1', 'device-2', 'device-3', 'device-4', 'device-5', 'aggregator-1']
  return {
    target: new URL(String(ready.csip)).origin,
    capabilities: ['aggregator', 'allow-list', 'operator-csip', 'subscription', 'mica', 'notify-loopback', 'conformance-topology', 'self-device', 'edition-2013', 'body-limit', 'registration-link', 'plain-url', 'ipv6', 'after-means-key', 'mrid-16', 'associated-programs', 'function-sets', 'poll-rate-by-put', 'lenient-issuers', 'operator-dispatch', 'operator-revoke', 'test-certificates'],
    values: {
      dcap: new URL(String(ready.csip)).pathname, operator: ready.operator, operatorToken: ready.operatorToken, devices: lfdi, micaPem: read('mica.pem'), micaKey: read('mica.key'),
      ipv6Url: new URL(String(ready.csip)).origin.replace('localhost', '[::1]'), plainUrl: new URL(String(ready.csip)).origin.replace('https', 'http'), lfdiA: lfdi['aggregator-1']?.lfdi, aggregatorPen: '00028547', dispatchProgram: 'conformance', dispatchDevice: 'device-2',
      lfdi1: lfdi['device-1']?.lfdi, lfdi2: lfdi['device-2']?.lfdi, lfdi3: lfdi['device-3']?.lfdi, lfdi5: lfdi['device-5']?.lfdi, sfdi1: lfdi['device-1']?.sfdi, sfdi5: lfdi['device-5']?.sfdi, pin1: lfdi['device-1']?.pin,
    },
    identities: { default: { ...trust, cert: read('device-1.pem'), key: read('device-1.key') }, none: trust, ...Object.fromEntries(names.map((n) => [n, { ...trust, cert: read(`${n}.pem`), key: read(`${n}.key`) }])) },
  }
}

/** Stations that take orders of the program; CS001 and CS002 are busy with everything else. */
const places = ['003', '004', '005', '006', '007', '008', '009', '010', '003', '010']

const csms = (ready: ReadyLine, read: Read, tls: { ca: string }): TargetFile => ({
  target: String(ready.ocpp),
  capabilities: ['basic-auth', 'tls', 'operator-ocpp', 'operator-stations', 'operator-admission', 'operator-dispatch', 'bounded-compression', 'signs-certificates', 'profile-upgrade', 'client-certificate', 'ocpp-ca', 'known-tokens', 'message-limit', 'known-stations', 'decisions', ...certificationProfiles, '1.6', '2.0.1', '2.1'],
  values: {
    tlsUrl: ready.ocppTls, operator: ready.operator, operatorToken: ready.operatorToken, station: 'CS001', password: 'loadstone-CS001-pass', station2: 'CS002', password2: 'loadstone-CS002-pass', unknown: 'CS999', certStation: 'CS011', organization: 'Loadstone', ocppCaPem: read('ocpp-ca.pem'), ocppCaKey: read('ocpp-ca.key'),
    ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`CS${String(i + 1).padStart(3, '0')}`, `loadstone-CS${String(i + 1).padStart(3, '0')}-pass`])),
    dispatchProgram: 'conformance', dispatchStations: places.map((n) => `CS${n}`), dispatchPasswords: places.map((n) => `loadstone-CS${n}-pass`),
    token: 'DEADBEEF', blockedToken: 'BLOCKED01', expiredToken: 'EXPIRED01', groupToken1: 'GROUP01', groupToken2: 'GROUP02',
  },
  identities: { default: tls, cs011: { ...tls, cert: read('cs011.pem'), key: read('cs011.key') } },
})

/** Our own client: the line only says that it is Loadstone that is meant. */
const ven = (): TargetFile => ({
  target: 'loadstone ven run', capabilities: ['registers', 'registers-resources', 'reports', 'operating-state', 'opts-out'],
  values: { optOut: { type: 'CONTROL_LEVEL_OFFSET', values: [-5] }, command: [process.execPath, join(packageRoot(import.meta.url), 'build/cli/loadstone.js'), 'ven', 'run', '--url', '{url}', '--client-id', '{clientId}', '--poll', '1', '--json'] },
})

function est(ready: ReadyLine, read: Read, tls: { ca: string }): TargetFile {
  const seed = JSON.parse(read('est.json')) as { vendor: string; pen: number; secrets: { secret: string; hwSerialNum: string }[] }
  return {
    target: String(ready.est),
    capabilities: ['one-time-secret', 'vendor-certificate', 'leaf-enrolment-only', 'labels', 'single-line', 'operator-secrets'],
    values: { pen: seed.pen, vendor: seed.vendor, secrets: seed.secrets, operator: ready.operator, operatorToken: ready.operatorToken },
    identities: { 'default': tls, 'vendor-1': { ...tls, cert: read('vendor-1.pem'), key: read('vendor-1.key') } },
  }
}
