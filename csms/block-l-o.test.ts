import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import { certificateHash, certificatePem, createRoot, issueClient, keySigner, newEcKey, ocspRequestOf, readCertificate, readOcspResponse, serialFrom, spkiOf } from '#certs/index.js'
import { ocspAnswer, readOcspRequest } from '#certs/x509/ocsp.js'
import { system } from '#core/caller.js'
import { inOrNearEvent, nextOf, type Campaign } from './firmware-campaign.js'
import { handBench, iso, known, orderTo, sent, T, willing } from './fixture-words.js'
import { operatorRoutes } from './operator.js'
import type { UploadStore } from './upload.js'

t.setTimeout(120_000)
const firmware = (more: object = {}): object => ({ location: 'https://x/f.bin', retrieveDateTime: iso(T), ...more })

t.test('OCPP-210 UpdateFirmware: certificate and signature come together, every status is handed on', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  const update = (f: object): Promise<unknown> => b.csms.command('CS001', 'UpdateFirmware', { requestId: 1, firmware: f })
  t.match(await update(firmware({ signature: 'x' })), { kind: 'refused', checks: [{ check: 'L01.FR.11' }] })
  for (const status of ['Accepted', 'Rejected', 'AcceptedCanceled', 'InvalidCertificate', 'RevokedCertificate']) {
    s.replies['UpdateFirmware'] = { status }
    t.match(await update(firmware({ signature: 'x', signingCertificate: 'y' })), { kind: 'answered', payload: { status } })
  }
  await s.close()
})

t.test('OCPP-211, 212, 220 progress belongs to its request, skipped states are normal, failures alarm, a missing requestId is flagged', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  const { record } = await known(b, 'CS001')
  for (const [action, status, requestId] of [
    ['FirmwareStatusNotification', 'Downloading', 7], ['FirmwareStatusNotification', 'Installed', 7], ['FirmwareStatusNotification', 'Idle', undefined], ['LogStatusNotification', 'Uploaded', 8], ['PublishFirmwareStatusNotification', 'Published', 9],
  ] as const) t.same((await s.call(action, { status, ...(requestId === undefined ? {} : { requestId }), ...(status === 'Published' ? { location: ['http://x'] } : {}) }))[2], {}, action)
  t.match(record.progress, { 'FirmwareStatusNotification 7': { status: 'Installed' }, 'LogStatusNotification 8': { status: 'Uploaded' }, 'PublishFirmwareStatusNotification 9': { status: 'Published' } })
  t.same(record.flags, [])
  await s.call('FirmwareStatusNotification', { status: 'InstallVerificationFailed', requestId: 7 })
  await s.call('LogStatusNotification', { status: 'Uploading' })
  t.same(record.flags.map((f) => f.flag), ['FirmwareStatusNotification InstallVerificationFailed', 'LogStatusNotification Uploading without requestId'])
  for (const [action, payload, answer] of [['PublishFirmware', { location: 'https://x', checksum: 'abc', requestId: 1 }, { status: 'Accepted' }], ['UnpublishFirmware', { checksum: 'abc' }, { status: 'DownloadOngoing' }]] as const) {
    s.replies[action] = answer
    t.match(await b.csms.command('CS001', action, payload), { kind: 'answered', payload: answer })
  }
  await s.close()
})

t.test('OCPP-213 a campaign: canaries first, never near an event, stopped at two failures in a hundred', async (t) => {
  const c = (stations: Record<string, string>): Campaign => ({ id: 'x', requestId: 1, firmware: {}, state: 'running', stations: stations as Campaign['stations'] })
  const many = (n: number, state: string, more: Record<string, string> = {}): Record<string, string> => ({ ...Object.fromEntries(Array.from({ length: n }, (_, i) => [`s${i}`, state])), ...more })
  t.same((nextOf(c(many(200, 'waiting'))) as string[]), ['s0', 's1'], 'a hundredth')
  t.same(nextOf(c(many(200, 'waiting', { s0: 'installed', s1: 'asked' }))), [], 'all canaries home before anyone else')
  t.equal((nextOf(c(many(200, 'waiting', { s0: 'installed', s1: 'installed' }))) as string[]).length, 198)
  t.equal(nextOf(c(many(200, 'installed', { s9: 'failed', s8: 'failed', s7: 'failed', s6: 'failed', s5: 'waiting' }))), 'stop')
  t.equal(nextOf(c(many(3, 'installed'))), 'done')
  const { b, clock } = await handBench(t)
  const [one, two] = [await willing(b, 'CS001'), await willing(b, 'CS002')]
  await b.csms.channel.send([orderTo('CS001', 1, 5000, { start: T / 1000 + 3600, end: T / 1000 + 7200 })])
  await one.until(() => b.happenings.some((h) => h.state === 'accepted'))
  t.ok(inOrNearEvent(await known(b, 'CS001'), T))
  const { id, requestId } = await b.csms.campaigns.start('test', firmware(), ['CS002', 'CS001'])
  t.equal(sent(two, 'UpdateFirmware').length, 1)
  await two.call('FirmwareStatusNotification', { status: 'Installed', requestId })
  await clock.advance(60_000)
  t.equal(sent(one, 'UpdateFirmware').length, 0, 'an event is near')
  for (let minute = 0; minute < 122; minute += 1) await clock.advance(60_000)
  await one.until(() => sent(one, 'UpdateFirmware').length === 1)
  await one.call('FirmwareStatusNotification', { status: 'InstallationFailed', requestId })
  const state = async (): Promise<string | undefined> => (await b.csms.campaigns.list('test')).find((x) => x.id === id)?.state
  for (let i = 0; i < 200 && await state() !== 'stopped'; i += 1) await new Promise((turn) => setTimeout(turn, 10))
  t.equal(await state(), 'stopped')
  await one.close()
  await two.close()
})

async function ca() {
  let n = 0
  const serial = (): string => serialFrom((n += 1).toString(16).padStart(32, '0')), validity = { fromMs: T - 1e9, toMs: T + 1e10 }, key = newEcKey(), signer = keySigner(key)
  const root = await createRoot({ serial: serial(), subject: [{ CN: ['Root'] }], validity }, signer)
  const leaf = await issueClient(root, { serial: serial(), publicKey: spkiOf(newEcKey()), commonName: 'X', organization: 'O', validity })
  return { root, signer, leaf }
}

t.test('OCPP-214, 215 certificates: a root signed by the one before, hashes as the station reported them, its own never deleted', async (t) => {
  const { b } = await handBench(t)
  const hash = (serialNumber: string, hashAlgorithm = 'SHA256'): object => ({ hashAlgorithm, issuerNameHash: 'aa', issuerKeyHash: 'bb', serialNumber })
  const chain = { certificateType: 'CSMSRootCertificate', certificateHashData: hash('01'), childCertificateHashData: [hash('02')] }
  const s = await willing(b, 'CS001', { GetInstalledCertificateIds: { status: 'Accepted', certificateHashDataChain: [chain] }, DeleteCertificate: { status: 'Accepted' } })
  await b.csms.command('CS001', 'GetInstalledCertificateIds', {})
  const station = await known(b, 'CS001')
  t.same(station.record.installed, [chain])
  t.match(await b.csms.command('CS001', 'DeleteCertificate', { certificateHashData: hash('01', 'SHA512') }), { kind: 'refused', checks: [{ check: 'M04.FR.07' }] })
  station.certificate = { fingerprint: 'x', notAfterMs: Infinity, serialNumber: '2A' }
  t.match(await b.csms.command('CS001', 'DeleteCertificate', { certificateHashData: hash('002a') }), { kind: 'refused', checks: [{ check: 'OCPP-215' }] })
  t.match(await b.csms.command('CS001', 'DeleteCertificate', { certificateHashData: hash('01') }), { kind: 'answered' })
  t.same(station.record.installed, [])
  const [first, second] = [await ca(), await ca()], install = (pem: string): Promise<unknown> => b.csms.command('CS001', 'InstallCertificate', { certificateType: 'CSMSRootCertificate', certificate: pem })
  for (const status of ['Rejected', 'Failed', 'Accepted']) {
    s.replies['InstallCertificate'] = { status }
    t.match(await install(certificatePem(first.root.certificate)), { kind: 'answered', payload: { status } })
  }
  await s.call('NotifyReport', { requestId: 1, generatedAt: iso(T), seqNo: 0, reportData: [{ component: { name: 'SecurityCtrlr' }, variable: { name: 'AdditionalRootCertificateCheck' }, variableAttribute: [{ value: 'true' }] }] })
  t.match(await install(certificatePem(second.root.certificate)), { kind: 'refused', checks: [{ check: 'OCPP-214' }] })
  t.match(await install(certificatePem(first.leaf)), { kind: 'answered' }, 'signed by the one before')
  t.match(await install('x'.repeat(5501)), { kind: 'refused', checks: [{ check: 'PropertyConstraintViolation' }] })
  await s.close()
})

t.test('OCPP-216 GetCertificateStatus: a real responder is asked once, by hash, and its answer is passed on; no answer is Failed', async (t) => {
  const { root, signer, leaf } = await ca()
  let asked = 0
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      asked += 1
      const { questions } = readOcspRequest(Buffer.concat(parts))
      void ocspAnswer(questions.map(({ certId }) => ({ certId, status: { status: 'good' } as const })), signer, { nowMs: T, nextUpdateMs: T + 3_600_000 }).then((der) => response.end(der))
    })
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.teardown(() => server.close())
  const { b, clock } = await handBench(t, { needs: { ocspFetch: async (url, der) => Buffer.from(await (await fetch(url, { method: 'POST', body: new Uint8Array(der) })).arrayBuffer()) } })
  const s = await willing(b, 'CS001'), hash = certificateHash(readCertificate(leaf), readCertificate(root.certificate))
  const ask = async (responderURL: string): Promise<{ status: string; ocspResult?: string }> => (await s.call('GetCertificateStatus', { ocspRequestData: { ...hash, responderURL } }))[2] as never
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const { status, ocspResult } = await ask(url)
  t.equal(status, 'Accepted')
  const answer = readOcspResponse(Buffer.from(ocspResult!, 'base64'))
  t.match(answer, { status: 'good', nextUpdateMs: T + 3_600_000 })
  t.ok(answer.signedBy(readCertificate(root.certificate)))
  t.notOk(answer.signedBy(readCertificate((await ca()).root.certificate)), 'another CA\'s word counts nothing')
  await ask(url)
  t.equal(asked, 1, 'from memory until nextUpdate')
  await clock.advance(3_700_000)
  await ask(url)
  t.equal(asked, 2)
  for (const bad of ['ldap://x/', 'http://127.0.0.1:1/', 'nonsense']) t.equal((await s.call('GetCertificateStatus', { ocspRequestData: { ...hash, responderURL: bad } }))[0] === 4 ? 'Failed' : (await ask(bad)).status, 'Failed', bad)
  t.throws(() => ocspRequestOf({ ...hash, hashAlgorithm: 'MD5' }))
  await s.close()
})

t.test('OCPP-217 contract certificates go to the pool; without an answer the field is there and empty', async (t) => {
  const request = { iso15118SchemaVersion: 'urn:iso:15118:2:2013:MsgDef', action: 'Install', exiRequest: 'AA==' }
  const { b } = await handBench(t, { needs: { vehicles: { exchange: async (r) => (r.action === 'Install' ? { exiResponse: 'BB==' } : r.action === 'Update' ? { exiResponse: 'x'.repeat(5601) } : undefined) } } })
  const s = await willing(b, 'CS001')
  t.same((await s.call('Get15118EVCertificate', request))[2], { status: 'Accepted', exiResponse: 'BB==' })
  t.same((await s.call('Get15118EVCertificate', { ...request, action: 'Update' }))[2], { status: 'Failed', exiResponse: '' }, 'longer than the field')
  await s.close()
})

t.test('OCPP-220 a log: a place of its own with its own credentials, PUT or POST, once, and not without end', async (t) => {
  const files = new Map<string, Buffer>()
  const uploads: UploadStore = {
    async save(name, body, limit) { const parts: Uint8Array[] = []; let n = 0; for await (const part of body) { n += part.length; if (n > limit) throw new Error('too much'); parts.push(part) } files.set(name, Buffer.concat(parts)); return n },
    read: async (name) => files.get(name),
  }
  const { b } = await handBench(t, { needs: { uploads } })
  const app = Fastify()
  await app.register(operatorRoutes({ csms: b.csms, documents: b.database.stores.documents, callerOf: () => system('test'), permit: () => {}, urlOf: (_p, id) => `${b.url}/${id}` }))
  const s = await willing(b, 'CS001')
  const order = async (): Promise<{ id: string; url: URL }> => {
    const made = await app.inject({ method: 'POST', url: '/stations/CS001/logs', payload: { logType: 'SecurityLog' } })
    t.equal(made.statusCode, 202)
    const { log, logType } = sent(s, 'GetLog').at(-1) as { log: { remoteLocation: string }; logType: string }
    t.equal(logType, 'SecurityLog')
    return { id: made.json().id as string, url: new URL(log.remoteLocation) }
  }
  const put = async ({ url }: { url: URL }, method: string, body: string, auth?: string, path = url.pathname): Promise<number> => (await fetch(`${url.origin}${path}`, { method, body, headers: { Authorization: `Basic ${Buffer.from(auth ?? `${url.username}:${url.password}`).toString('base64')}` } })).status
  const first = await order()
  t.equal(await put(first, 'PUT', 'x', 'CS001:wrong'), 401)
  t.equal(await put(first, 'DELETE', 'x'), 405)
  t.equal(await put(first, 'PUT', 'line 1\n', undefined, `${first.url.pathname}/security.log`), 201)
  t.equal(await put(first, 'PUT', 'again'), 410, 'filled once')
  const second = await order()
  t.equal(await put(second, 'POST', 'line 2\n'), 201)
  t.equal((await app.inject(`/stations/CS001/logs/${first.id}`)).payload, 'line 1\n')
  await s.call('NotifyCustomerInformation', { data: 'Jane', seqNo: 0, generatedAt: iso(T), requestId: 9 })
  t.same((await app.inject('/stations/CS001/customer-information')).json(), { items: [{ requestId: 9, data: 'Jane' }], next: null }, 'OCPP-223')
  t.equal((await app.inject('/stations/NOBODY/customer-information')).statusCode >= 400, true)
  const list = (await app.inject('/stations/CS001/logs')).json() as { items: object[] }
  t.equal(list.items.length, 2)
  t.notMatch(JSON.stringify(list), second.url.password)
  t.equal(await b.csms.uploads.read('test', 'CS002', first.id), undefined, 'another station\'s log is not there')
  s.replies['GetLog'] = { status: 'AcceptedCanceled' }
  t.match((await app.inject({ method: 'POST', url: '/stations/CS001/logs', payload: {} })).json(), { status: 'AcceptedCanceled' })
  await app.close()
  await s.close()
})

t.test('OCPP-221, 222 monitors: results one by one, ids only to replace, and in 2.0.1 the monitor says how severe an event is', async (t) => {
  const { b } = await handBench(t)
  const monitored = { component: { name: 'Connector', evse: { id: 1 } }, variable: { name: 'Temperature' } }
  const s = await willing(b, 'CS001', { SetVariableMonitoring: { setMonitoringResult: [{ ...monitored, id: 5, status: 'Accepted', type: 'UpperThreshold', severity: 2 }, { ...monitored, status: 'Duplicate', type: 'Delta', severity: 2 }] }, SetMonitoringBase: { status: 'Accepted' }, SetMonitoringLevel: { status: 'Accepted' } })
  const { record } = await known(b, 'CS001')
  const set = (id?: number): Promise<unknown> => b.csms.command('CS001', 'SetVariableMonitoring', { setMonitoringData: [{ ...monitored, value: 60, type: 'UpperThreshold', severity: 2, ...(id === undefined ? {} : { id }) }] })
  t.match(await set(), { kind: 'answered', payload: { setMonitoringResult: [{ status: 'Accepted' }, { status: 'Duplicate' }] } })
  t.match(record.monitors, { 5: { severity: 2, value: 60, type: 'UpperThreshold' } })
  t.match(await set(77), { kind: 'refused', checks: [{ check: 'OCPP-221' }] })
  t.match(await set(5), { kind: 'answered' })
  const heard = (variableMonitoringId: number | undefined): Promise<unknown[]> => s.call('NotifyEvent', { generatedAt: iso(T), seqNo: 0, eventData: [{ eventId: 1, timestamp: iso(T), trigger: 'Alerting', actualValue: '61', eventNotificationType: 'CustomMonitor', ...monitored, ...(variableMonitoringId === undefined ? {} : { variableMonitoringId }) }] })
  t.same((await heard(undefined))[2], {})
  t.same(record.flags, [])
  await heard(5)
  t.same(record.flags.map((f) => f.flag), ['Connector.Temperature'])
  t.same((await s.call('NotifyMonitoringReport', { requestId: 1, seqNo: 0, generatedAt: iso(T), monitor: [{ ...monitored, variableMonitoring: [{ id: 9, transaction: false, value: 1, type: 'Delta', severity: 8 }] }] }))[2], {})
  t.match(record.monitors, { 9: { severity: 8 } })
  s.replies['ClearVariableMonitoring'] = (p) => ({ clearMonitoringResult: (p['id'] as number[]).map((id) => ({ id, status: id === 5 ? 'Accepted' : 'NotFound' })) })
  t.match(await b.csms.command('CS001', 'ClearVariableMonitoring', { id: [5, 6] }), { payload: { clearMonitoringResult: [{ id: 5 }, { id: 6 }] } })
  t.same(Object.keys(record.monitors), ['9'])
  for (const monitoringBase of ['All', 'FactoryDefault', 'HardWiredOnly']) t.match(await b.csms.command('CS001', 'SetMonitoringBase', { monitoringBase }), { kind: 'answered' })
  t.match([await b.csms.command('CS001', 'SetMonitoringLevel', { severity: 9 }), await b.csms.command('CS001', 'SetMonitoringLevel', { severity: 10 })], [{ kind: 'answered' }, { kind: 'answered' }])
  await s.close()
})

t.test('OCPP-223, 224 customer information names one customer and is kept sealed; display messages the station can show', async (t) => {
  const { b, clock } = await handBench(t)
  const s = await willing(b, 'CS001', { GetDisplayMessages: { status: 'Unknown' }, ClearDisplayMessage: { status: 'Unknown' } })
  const ask = (more: object): Promise<unknown> => b.csms.command('CS001', 'CustomerInformation', { requestId: 1, report: true, clear: false, ...more })
  t.match(await ask({}), { kind: 'refused', checks: [{ check: 'N09.FR.09' }] })
  t.match(await ask({ customerIdentifier: 'x', idToken: { idToken: 'a', type: 'Local' } }), { kind: 'refused', checks: [{ check: 'N09.FR.09' }] })
  t.match(await ask({ customerIdentifier: 'x' }), { kind: 'answered' })
  t.same((await s.call('NotifyCustomerInformation', { data: 'Jane Doe, 1 Main St', seqNo: 0, generatedAt: iso(T), requestId: 1 }))[2], {})
  const kept = JSON.stringify(await b.database.stores.documents.list('test', { kind: 'csms/CustomerInformation' }))
  t.notMatch(kept, /Jane/)
  await s.call('NotifyCustomerInformation', { data: ', Bonn', seqNo: 1, generatedAt: iso(T), requestId: 1 })
  t.same(await b.csms.customers.read(await known(b, 'CS001')), [{ requestId: 1, data: 'Jane Doe, 1 Main St, Bonn' }], 'who asked can read it')
  t.notMatch(JSON.stringify(b.csms.recorder.of('test CS001', 20)), /Jane|Bonn/)
  t.match(kept, new RegExp(String(T / 1000 + 30 * 86_400)))
  const show = (message: object): Promise<unknown> => b.csms.command('CS001', 'SetDisplayMessage', { message: { id: 1, priority: 'NormalCycle', message: { format: 'UTF8', content: 'hi' }, ...message } })
  t.match(await show({}), { kind: 'answered' })
  await s.call('NotifyReport', { requestId: 1, generatedAt: iso(T), seqNo: 0, reportData: [{ component: { name: 'DisplayMessageCtrlr' }, variable: { name: 'SupportedFormats' }, variableAttribute: [{ value: 'ASCII' }], variableCharacteristics: { dataType: 'MemberList', supportsMonitoring: false, valuesList: 'ASCII,URI' } }] })
  t.match(await show({}), { kind: 'refused', checks: [{ check: 'OCPP-224' }] })
  t.match(await show({ message: { format: 'URI', content: 'http://x' }, startDateTime: iso(T + 1), endDateTime: iso(T) }), { kind: 'refused', checks: [{ check: 'OCPP-224' }] })
  t.match(await b.csms.command('CS001', 'GetDisplayMessages', { requestId: 2 }), { payload: { status: 'Unknown' } })
  t.match(await b.csms.command('CS001', 'ClearDisplayMessage', { id: 1 }), { payload: { status: 'Unknown' } })
  t.same((await s.call('NotifyDisplayMessages', { requestId: 2 }))[2], {})
  await s.close()
  const { documents } = b.database.stores, left = (): Promise<number> => documents.count('test', { kind: 'csms/CustomerInformation' })
  await documents.insert({ tenant: 'test', kind: 'csms/CustomerInformation', id: 'old', parent: 'CS001', sort1: T / 1000 + 30, body: {} }, T)
  await clock.advance(61_000)
  for (let i = 0; i < 500 && await left() > 2; i += 1) await new Promise((turn) => setTimeout(turn, 20))
  t.equal(await left(), 2, 'what is over its time is gone, though no station speaks')
})
