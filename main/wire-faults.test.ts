import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test as Tap } from 'tap'
import { WebSocket } from 'ws'
import { deviceRequest, lfdiOf, newEcKey } from '#certs/index.js'
import type { FaultProxy } from '#conformance/fault-proxy.js'
import { ask, serverBehindFaults } from '#main/test-wire.js'

/** What comes in through every door behind the fault proxy: cut in the middle, swallowed, delayed (REL-047). What goes out is in wire-faults-out.test.ts. */
const { folder, pem, door, ready, through, client, vtnToken } = await serverBehindFaults(t, 31_000)
/** Where a request of so many bytes is cut: early, in each part, at its last byte. */
const offsets = (size: number): number[] => [1, 40, Math.floor(size * 0.5), Math.floor(size * 0.8), size - 1]

/** Cut at each place; then the same again over a whole connection: it stands once. */
async function cutAndRetry(t: Tap, proxy: FaultProxy, places: readonly number[], once_: (n: number, cut: boolean) => Promise<{ status: number }>, count: (n: number) => Promise<number>): Promise<void> {
  for (const [n, cutAfter] of places.entries()) {
    proxy.set({ cutAfter, direction: 'up' })
    t.equal((await once_(n, true)).status, 0, `cut after ${cutAfter} bytes`)
    proxy.set({})
    t.ok((await count(n)) <= 1, 'nothing, or the whole')
    t.ok([200, 201, 204].includes((await once_(n, false)).status), 'the same again is taken')
    t.equal(await count(n), 1, 'and stands once')
  }
}

t.test('REL-047 VTN: a request cut in the middle leaves nothing half, and its retry makes one object', async (t) => {
  const proxy = await through(door.vtn), authorization = `Bearer ${await vtnToken('bl_client', '1001')}`
  const post = (n: number): Promise<{ status: number }> => ask(proxy.port, '/openadr3/3.1.1/programs', { method: 'POST', headers: { authorization, 'content-type': 'application/json', 'idempotency-key': `cut-${n}` }, body: JSON.stringify({ programName: `cut-${n}`, attributes: [{ type: 'LONG', values: ['x'.repeat(600)] }] }) })
  await cutAndRetry(t, proxy, offsets(900), post, async (n) => (JSON.parse((await ask(door.vtn, `/openadr3/3.1.1/programs?programName=cut-${n}`, { headers: { authorization } })).body) as unknown[]).length)
})

t.test('REL-047 operator: the same', async (t) => {
  const proxy = await through(door.operator), headers = { 'authorization': `Bearer ${ready.operatorToken}`, 'content-type': 'application/json' }
  const post = (n: number): Promise<{ status: number }> => ask(proxy.port, '/api/v1/service-points', { method: 'POST', headers: { ...headers, 'idempotency-key': `cut-${n}` }, body: JSON.stringify({ name: `cut-${n}`, gridPath: ['x'.repeat(200)] }) })
  await cutAndRetry(t, proxy, offsets(360), post, async (n) => (JSON.parse((await ask(door.operator, '/api/v1/service-points?limit=1000', { headers })).body) as { items: { name: string }[] }).items.filter((p) => p.name === `cut-${n}`).length)
})

const device = client('device-1')

t.test('REL-047 2030.5: a TLS record cut in the middle, in the handshake or the document', async (t) => {
  const proxy = await through(door.csip), lfdi = lfdiOf(readFileSync(join(folder, 'pki', 'device-1.der')))
  const mRID = (n: number): string => `AB${String(n).padStart(30, '0')}`
  const headers = { 'content-type': 'application/sep+xml', 'accept': 'application/sep+xml' }
  const post = (n: number): Promise<{ status: number }> => ask(proxy.port, '/mup', { method: 'POST', headers, tls: device, body: `<MirrorUsagePoint xmlns="urn:ieee:std:2030.5:ns"><mRID>${mRID(n)}</mRID><description>${'x'.repeat(20)}</description><roleFlags>0003</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${lfdi}</deviceLFDI></MirrorUsagePoint>` })
  await cutAndRetry(t, proxy, [1, 300, 1500], post, async (n) => ((await ask(door.csip, '/mup?l=255', { headers, tls: device })).body.match(new RegExp(`<mRID>${mRID(n)}<`, 'g')) ?? []).length)
})

t.test('REL-047 EST: a request for a certificate cut in the middle; the same again gets the certificate', async (t) => {
  const proxy = await through(door.est), { secrets } = JSON.parse(pem('est.json')) as { secrets: { secret: string; hwSerialNum: string }[] }, { pen } = JSON.parse(pem('est.json')) as { pen: number }
  for (const [n, cutAfter] of [200, 700].entries()) {
    const { secret, hwSerialNum } = secrets[n] as { secret: string; hwSerialNum: string }
    const body = (await deviceRequest(newEcKey(), { hwType: `1.3.6.1.4.1.${pen}.1`, hwSerialNum })).toString('base64')
    const enrol = (): Promise<{ status: number }> => ask(proxy.port, '/.well-known/est/simpleenroll', { method: 'POST', tls: { ca: pem('tls-ca.pem'), servername: 'localhost' }, headers: { 'content-type': 'application/pkcs10', 'authorization': `Basic ${Buffer.from(`${hwSerialNum}:${secret}`).toString('base64')}` }, body })
    proxy.set({ cutAfter, direction: 'up' })
    t.equal((await enrol()).status, 0, `cut after ${cutAfter} bytes`)
    proxy.set({})
    t.equal((await enrol()).status, 200, 'the secret was not used up')
  }
})

t.test('REL-047 OCPP: a frame cut in the middle is no frame; the station comes back and says it again', async (t) => {
  const proxy = await through(door.ocpp)
  const open = async (): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/ocpp/CS001`, ['ocpp2.0.1'], { headers: { authorization: `Basic ${Buffer.from('CS001:loadstone-CS001-pass').toString('base64')}` } })
    socket.on('error', () => {})
    await once(socket, 'open')
    return socket
  }
  const say = async (socket: WebSocket, action: string, payload: object): Promise<unknown[]> => {
    socket.send(JSON.stringify([2, 'm1', action, payload]))
    for (;;) { const [data] = await once(socket, 'message') as [Buffer]; const frame = JSON.parse(String(data)) as unknown[]; if (frame[1] === 'm1') return frame }
  }
  const event = { eventType: 'Started', timestamp: new Date().toISOString(), triggerReason: 'CablePluggedIn', seqNo: 0, transactionInfo: { transactionId: 'cut-tx' }, evse: { id: 1, connectorId: 1 }, customData: { vendorId: 'x'.repeat(200) } }
  const transactions = async (): Promise<number> => (JSON.parse((await ask(door.operator, '/api/v1/stations/CS001/transactions', { headers: { authorization: `Bearer ${ready.operatorToken}` } })).body) as { items: { transactionId?: string; id?: string }[] }).items.filter((x) => JSON.stringify(x).includes('cut-tx')).length
  const first = await open()
  await say(first, 'BootNotification', { reason: 'PowerUp', chargingStation: { model: 'm', vendorName: 'v' } })
  first.close()
  const second = await open(), gone = once(second, 'close')
  proxy.set({ cutAfter: 1000, direction: 'up' })
  second.send(JSON.stringify([2, 'm1', 'TransactionEvent', event]))
  second.send(JSON.stringify([2, 'm2', 'TransactionEvent', { ...event, transactionInfo: { transactionId: 'cut-tx-2' } }]))
  proxy.cut()
  await gone
  proxy.set({})
  const third = await open()
  t.equal((await say(third, 'TransactionEvent', event))[0], 3, 'it is answered')
  t.equal((await say(third, 'TransactionEvent', event))[0], 3, 'and once more')
  t.ok(await transactions() >= 1)
  third.close()
})

t.test('REL-044, REL-047 a link that is slow is served, one that swallows everything harms nobody', async (t) => {
  const tls = { ca: pem('tls-ca.pem'), servername: 'localhost' }
  const doors: readonly [name: string, port: number, path: string, tls?: object][] = [['operator', door.operator, '/healthz'], ['vtn', door.vtn, '/openadr3/3.1.1/auth/server'], ['2030.5', door.csip, '/dcap', device], ['EST', door.est, '/.well-known/est/cacerts', tls]]
  for (const [name, port, path, secure] of doors) {
    const proxy = await through(port), asked = secure ? { tls: secure, headers: { accept: '*/*' } } : {}
    proxy.set({ delay_ms: 60 })
    t.equal((await ask(proxy.port, path, asked)).status, 200, `${name}: slow`)
    proxy.set({ bytesPerSecond: secure ? 20_000 : 2000 })
    t.equal((await ask(proxy.port, path, asked)).status, 200, `${name}: thin`)
    proxy.set({ blackhole: true })
    t.equal((await ask(proxy.port, path, { ...asked, patience_ms: 300 })).status, 0, `${name}: nothing comes`)
    t.equal((await ask(port, path, asked)).status, 200, `${name}: others are served`)
  }
})
