import type { AddressInfo } from 'node:net'
import t from 'tap'
import { WebSocket, type ClientOptions } from 'ws'
import { certificatePem, createRoot, issueClient, issueTlsServer, keyPem, keySigner, newEcKey, serialFrom, spkiOf, tlsIdentity, type Authority } from '#certs/index.js'
import { bench, HandStation, password } from './fixture.js'
import { handBench, known, sent, willing } from './fixture-words.js'
import { tlsServer } from './listen.js'

t.setTimeout(120_000)
const day = 86_400_000

/** 101, or the HTTP status that refused it. */
const opened = (url: string, options: ClientOptions): Promise<number> => new Promise((done) => {
  const ws = new WebSocket(url, ['ocpp2.0.1'], options)
  ws.on('open', () => { done(101); ws.close() })
  ws.on('unexpected-response', (_request, response) => { done(response.statusCode ?? 0); ws.terminate() })
  ws.on('error', () => {})
})

/** A small CA of our own, a TLS door, and certificates of stations and proxies. */
async function pki() {
  let n = 0
  const serial = (): string => serialFrom((n += 1).toString(16).padStart(32, '0')), validity = (from: number, to: number) => ({ fromMs: Date.now() + from * day, toMs: Date.now() + to * day })
  const root: Authority = await createRoot({ serial: serial(), subject: [{ CN: ['OCPP'] }], validity: validity(-300, 300) }, keySigner(newEcKey()))
  const key = newEcKey(), identity = tlsIdentity(root, key, await issueTlsServer(root, { serial: serial(), publicKey: spkiOf(key), names: ['localhost'], organization: 'Loadstone', validity: validity(-1, 30) }))
  const client = async (commonName: string, from = -1, to = 30): Promise<{ key: string; cert: string }> => {
    const k = newEcKey()
    return { key: keyPem(k), cert: certificatePem(await issueClient(root, { serial: serial(), publicKey: spkiOf(k), commonName, organization: 'Loadstone', validity: validity(from, to) })) }
  }
  return { ca: certificatePem(root.certificate), server: () => tlsServer({ key: [identity.key], cert: [identity.cert], ca: [certificatePem(root.certificate)] }), client }
}
async function tlsBench(t: { teardown(fn: () => unknown): void }, options: Parameters<typeof bench>[0] = {}) {
  const p = await pki(), b = await bench({ ...options, stations: [], config: { stationRoots: [p.ca], organizations: ['Loadstone'], ...options?.config } }), server = p.server()
  b.csms.attach(server)
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.teardown(async () => { server.closeAllConnections(); server.close(); await b.close() })
  return { ...p, b, url: `wss://localhost:${(server.address() as AddressInfo).port}/ocpp` }
}

t.test('OCPP-022 the user is the identity; a password of 16 to 64 characters, UTF-8; old stations may send the bytes or the hexadecimal text', async (t) => {
  const { b } = await handBench(t, { stations: [] })
  await b.csms.provision.add('test', [
    { id: 'U1', securityProfile: 1, password: 'pässwörd-mit-ümläuten' }, { id: 'U2', securityProfile: 1, password: '0123456789abcdef0123456789abcdef01234567', settings: { legacyKey: true } }, { id: 'U3', securityProfile: 1, password: '0123456789abcdef0123456789abcdef01234567' },
  ])
  const opens = (id: string, given: string | Buffer, user = id): Promise<number> => opened(`${b.url}/${id}`, { headers: { Authorization: `Basic ${Buffer.concat([Buffer.from(`${user}:`), Buffer.from(given as string)]).toString('base64')}` } })
  t.equal(await opens('U1', 'pässwörd-mit-ümläuten'), 101)
  t.equal(await opens('U1', 'pässwörd-mit-ümläuten', 'U2'), 401, 'another user name')
  const raw = Buffer.from('0123456789abcdef0123456789abcdef01234567', 'hex')
  t.same([await opens('U2', raw), await opens('U2', '0123456789abcdef0123456789abcdef01234567'), await opens('U3', raw)], [101, 101, 401])
  for (const bad of ['short', 'x'.repeat(65)]) await t.rejects(b.csms.provision.add('test', [{ id: 'U4', securityProfile: 1, password: bad }]), /refused/)
  await t.rejects(b.csms.provision.add('test', [{ id: 'with:colon', securityProfile: 1 }]), /refused/)
})

t.test('OCPP-023, 035 only a salted or keyed hash is stored, and neither log nor frames hold a secret', async (t) => {
  const said: string[] = [], log = { debug: (o: object) => said.push(JSON.stringify(o)), info: (o: object) => said.push(JSON.stringify(o)), warn: (o: object) => said.push(JSON.stringify(o)), error: (o: object) => said.push(JSON.stringify(o)), child: () => log } as never
  const { b } = await handBench(t, { log })
  const [made] = await b.csms.provision.add('test', [{ id: 'GEN1', securityProfile: 1 }])
  t.match(made?.password, /^[0-9a-f]{32}$/)
  const stored = JSON.stringify((await b.database.stores.documents.list('test', { kind: 'csms/Station' })).map((d) => d.body))
  t.notMatch(stored, made!.password!)
  t.notMatch(stored, password('CS001'))
  t.match(stored, /"kind":"scrypt","salt":"[^"]+"/)
  const s = await willing(b, 'CS001', { SetVariables: { setVariableResult: [{ attributeStatus: 'Accepted', component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } }] } })
  await s.call('Authorize', { idToken: { idToken: '4711', type: 'KeyCode' } })
  await b.csms.command('CS001', 'SetVariables', { setVariableData: [{ attributeValue: 'a-very-new-password', component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } }] })
  const frames = JSON.stringify(b.csms.recorder.of('test CS001', 50))
  t.match(frames, /Authorize.*SetVariables|SetVariables.*Authorize/, 'they are there')
  t.notMatch(frames, /4711|a-very-new-password/)
  t.notMatch(said.join('\n'), /4711|a-very-new-password|loadstone-CS001-pass|Basic /)
  await s.close()
})

t.test('OCPP-030 an expired certificate lets a flagged station in, Pending, and its renewal is asked for at once', async (t) => {
  const { b, url, ca, client } = await tlsBench(t)
  await b.csms.provision.add('test', [{ id: 'OLD1', securityProfile: 3, settings: { acceptExpired: true } }, { id: 'OLD2', securityProfile: 3 }])
  const old = await client('OLD1', -100, -1)
  const s = new HandStation(url, 'OLD1', { ws: { ca, ...old } })
  s.replies['TriggerMessage'] = { status: 'Accepted' }
  t.equal(await s.open(), 101)
  t.match((await s.call('BootNotification', { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V', serialNumber: 'OLD1' } }))[2], { status: 'Pending' })
  await s.until(() => sent(s, 'TriggerMessage').length === 1)
  t.same(sent(s, 'TriggerMessage'), [{ requestedMessage: 'SignChargingStationCertificate' }])
  t.equal((await s.call('SignCertificate', { csr: 'x' }))[0], 3, 'what we asked for is heard')
  await s.close()
  t.equal(await new HandStation(url, 'OLD2', { ws: { ca, ...await client('OLD2', -100, -1) } }).open(), 401)
  const renewed = new HandStation(url, 'OLD1', { ws: { ca, ...await client('OLD1') } })
  t.equal(await renewed.open(), 101)
  t.match((await renewed.call('BootNotification', { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V', serialNumber: 'OLD1' } }))[2], { status: 'Accepted' })
  await renewed.close()
})

t.test('OCPP-031, SEC-007 a revoked certificate is refused, and cut where it lives', async (t) => {
  let revoked = ''
  const { b, url, ca, client } = await tlsBench(t, { needs: { revoked: (fingerprint: string) => fingerprint.toLowerCase() === revoked } })
  await b.csms.provision.add('test', [{ id: 'REV1', securityProfile: 3 }])
  const mine = await client('REV1'), s = new HandStation(url, 'REV1', { ws: { ca, ...mine } })
  t.equal(await s.open(), 101)
  await s.until(() => b.csms.fleet.online().length === 1)
  revoked = b.csms.fleet.online()[0]!.certificate!.fingerprint.toLowerCase()
  t.equal(await new HandStation(url, 'REV1', { ws: { ca, ...mine } }).open(), 401)
  s.ws.terminate()
})

t.test('OCPP-033 a client certificate in a header counts only from a listed proxy that shows its own certificate', async (t) => {
  const open = async (config: object, header: boolean): Promise<number> => {
    const { b, url, ca, client } = await tlsBench(t, { config })
    await b.csms.provision.add('test', [{ id: 'PX1', securityProfile: 3 }])
    const proxy = await client('proxy-1'), inner = await client('PX1')
    return opened(`${url}/PX1`, { ca, ...('bare' in config ? {} : proxy), headers: header ? { 'X-Client-Cert': encodeURIComponent(inner.cert) } : {} })
  }
  t.equal(await open({ proxies: ['127.0.0.1'] }, true), 101)
  t.equal(await open({ proxies: ['127.0.0.1'] }, false), 401, 'the proxy is no station')
  t.equal(await open({ proxies: ['10.0.0.1'] }, true), 401, 'not on the list')
  t.equal(await open({ proxies: ['127.0.0.1'], bare: true }, true), 401, 'a header alone')
})

t.test('OCPP-042 with the maker\'s credentials a station is Pending until they are replaced', async (t) => {
  const { b } = await handBench(t, { stations: [] })
  await b.csms.provision.add('test', [{ id: 'FAC1', securityProfile: 1, password: password('FAC1'), settings: { factoryCredentials: true } }])
  const s = await willing(b, 'FAC1', { SetVariables: { setVariableResult: [{ attributeStatus: 'Accepted', component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } }] } }, { boot: false })
  const boot = async (): Promise<unknown> => (await s.call('BootNotification', { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V' } }))[2]
  t.match(await boot(), { status: 'Pending' })
  await b.csms.command('FAC1', 'SetVariables', { setVariableData: [{ attributeValue: 'an-own-password-now', component: { name: 'SecurityCtrlr' }, variable: { name: 'BasicAuthPassword' } }] })
  await s.until(() => sent(s, 'TriggerMessage').length === 1)
  t.match(await boot(), { status: 'Accepted' })
  t.equal((await known(b, 'FAC1')).record.factoryCredentials, undefined)
  await s.close()
  t.equal(await new HandStation(b.url, 'FAC1', { password: password('FAC1') }).open(), 401)
})

t.test('OCPP-029, B01.FR.12 a boot with another serial number than the certificate\'s ends the connection and changes nothing', async (t) => {
  const { b, url, ca, client } = await tlsBench(t)
  await b.csms.provision.add('test', [{ id: 'SER1', securityProfile: 3 }])
  const s = new HandStation(url, 'SER1', { ws: { ca, ...await client('SER1') } })
  await s.open()
  void s.call('BootNotification', { reason: 'PowerUp', chargingStation: { model: 'Evil', vendorName: 'V', serialNumber: 'OTHER' } })
  await s.until(() => s.closed !== undefined)
  t.equal(s.closed?.code, 1008)
  t.match((await known(b, 'SER1')).record, { registration: 'none', boot: undefined })
})
