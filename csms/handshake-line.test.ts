import { createServer as createTcp, connect as plainly, type AddressInfo, type Server, type Socket } from 'node:net'
import { connect as tlsConnect, createServer as createTls, type TLSSocket } from 'node:tls'
import t from 'tap'
import { certificatePem, createRoot, issueTlsServer, keySigner, newEcKey, serialFrom, spkiOf, tlsIdentity } from '#certs/index.js'
import { handClock, systemClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { handshakeLine } from './handshake-line.js'
import { tlsServer } from './listen.js'

t.setTimeout(60_000)
const ids = randomIds(() => systemClock.nowMs()), serial = (): string => serialFrom(ids.hex(16))
const validity = { fromMs: Date.now() - 3_600_000, toMs: Date.now() + 86_400_000 }, key = newEcKey()
const root = await createRoot({ serial: serial(), subject: [{ CN: ['R'] }], validity }, keySigner(newEcKey())), ca = certificatePem(root.certificate)
const identity = tlsIdentity(root, key, await issueTlsServer(root, { serial: serial(), publicKey: spkiOf(key), names: ['localhost'], organization: 'Loadstone', validity }))

const listening = (server: Server): Promise<number> => new Promise((ready) => server.listen(0, '127.0.0.1', () => ready((server.address() as AddressInfo).port)))

/** The first words of a TLS client, as it says them. */
async function hello(): Promise<Buffer> {
  const ear = createTcp(), port = await listening(ear)
  const said = new Promise<Buffer>((heard) => ear.once('connection', (socket) => socket.once('data', (data) => { socket.destroy(); heard(data) })))
  tlsConnect({ port, host: '127.0.0.1' }).on('error', () => {})
  const words = await said
  ear.close()
  return words
}

/** A client that says hello, or nothing, and never goes on. */
async function halfway(port: number, words?: Buffer): Promise<{ socket: Socket; answered: Promise<true>; got: () => boolean }> {
  const socket = plainly(port, '127.0.0.1')
  socket.on('error', () => {})
  let got = false
  const answered = new Promise<true>((done) => socket.once('data', () => { got = true; done(true) }))
  await new Promise((open) => socket.once('connect', open))
  if (words) socket.write(words)
  return { socket, answered, got: () => got }
}

t.test('REL-042, REL-044 handshakes in turn: so many at once, who says nothing takes no place, who goes or takes too long gives his up', async (t) => {
  const clock = handClock(0), server = createTls({ key: identity.key, cert: identity.cert }), line = handshakeLine(server, { most: 2, hold_ms: 1000 }, clock)
  server.on('tlsClientError', () => {})
  const port = await listening(server), words = await hello(), open: Socket[] = []
  t.teardown(() => { for (const s of open) s.destroy(); server.close() })
  const client = async (say?: Buffer) => { const c = await halfway(port, say); open.push(c.socket); return c }
  const until = async (what: () => boolean): Promise<void> => { while (!what()) await new Promise((turn) => setImmediate(turn)) }
  await client()
  const one = await client(words), two = await client(words)
  await Promise.all([one.answered, two.answered])
  const three = await client(words), four = await client(words)
  await until(() => line.waiting === 2)
  t.same([line.working, three.got(), four.got()], [2, false, false])
  one.socket.destroy()
  t.ok(await three.answered, 'one left')
  t.notOk(four.got())
  await clock.advance(1000)
  t.ok(await four.answered, 'the others take too long')
  const stranger = new Promise<TLSSocket>((done) => { const s = tlsConnect({ port, host: '127.0.0.1', ca, servername: 'localhost' }, () => done(s)); open.push(s) })
  t.ok((await stranger).authorized, 'and a whole handshake ends well beside them')
  await until(() => line.working === 1)
})

t.test('REL-044 who never says hello is ended, before the TLS server has heard of the connection', async (t) => {
  const server = tlsServer({ key: [identity.key], cert: [identity.cert], handshakes: { silence_ms: 100 } }), port = await listening(server)
  t.teardown(() => server.close())
  const { socket } = await halfway(port)
  await new Promise((gone) => socket.resume().once('close', gone))
  const s = tlsConnect({ port, host: '127.0.0.1', ca, servername: 'localhost' })
  await new Promise((done) => s.once('secureConnect', done))
  t.ok(s.authorized)
  s.destroy()
})

t.test('REL-042 hundreds at once are all served, by the door\'s own server; closing it ends who waits', async (t) => {
  const server = tlsServer({ key: [identity.key], cert: [identity.cert], handshakes: { most: 4 } }), port = await listening(server)
  const all = await Promise.all(Array.from({ length: 300 }, () => new Promise<TLSSocket>((done, fail) => {
    const s = tlsConnect({ port, host: '127.0.0.1', ca, servername: 'localhost' }, () => done(s)).on('error', fail)
  })))
  t.ok(all.every((s) => s.authorized))
  for (const s of all) s.on('error', () => {}).destroy()
  const words = await hello(), stuck = await Promise.all(Array.from({ length: 6 }, () => halfway(port, words)))
  while (stuck.filter((s) => s.got()).length < 4) await Promise.race(stuck.filter((s) => !s.got()).map((s) => s.answered))
  const ended = Promise.all(stuck.filter((s) => !s.got()).map(({ socket }) => new Promise((done) => socket.once('close', done))))
  const closed = new Promise((done) => server.close(done))
  server.closeAllConnections()
  await ended
  for (const { socket } of stuck) socket.destroy()
  await closed
})
