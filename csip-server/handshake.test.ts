import { connect as plainly, type Socket } from 'node:net'
import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { Device, makePki, serverUnderTest } from '#csip-server/fixture.js'
import { testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
t.teardown(() => db.close())

/** A client that opens a connection and never says what TLS waits for. */
const silent = (port: number, said?: Buffer): Promise<Socket> => new Promise((done) => {
  const socket = plainly(port, '127.0.0.1', () => { if (said) socket.write(said); done(socket) })
  socket.on('error', () => {})
})
const ended = (socket: Socket): Promise<boolean> => new Promise((done) => {
  socket.resume()
  socket.once('close', () => done(true))
})

t.test('SEP-005, REL-044, REL-045 a handshake that does not go on is ended, and so is its connection', async (t) => {
  const { csip, close } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock, config: { handshake_s: 1 } })
  const port = await csip.listen({ port: 0, hosts: ['127.0.0.1'] })
  const waiting = await Promise.all([silent(port), silent(port, Buffer.from([22, 3, 1, 2, 0])), silent(port)])
  t.same(await Promise.all(waiting.map(ended)), [true, true, true])
  const one = await pki.device('one'), client = new Device(one, port, pki.serca)
  t.equal((await client.get('/tm')).status, 200, 'who speaks is heard')
  client.close()
  await close()
})

t.test('REL-003 the door closes although somebody has only begun to shake hands', async (t) => {
  const { csip, close } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock, config: { handshake_s: 600 } })
  const port = await csip.listen({ port: 0, hosts: ['127.0.0.1'] })
  const waiting = await silent(port), gone = ended(waiting)
  await close()
  t.ok(await gone)
})
