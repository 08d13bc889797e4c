import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import mqtt from 'mqtt'
import t from 'tap'
import { WebSocket } from 'ws'
import { readSettings } from '#cli/settings.js'
import { systemClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import { build } from '#main.js'
import { portBase } from '#main/test-ports.js'

t.setTimeout(300_000)

t.test('UX-076 certificates and keys of every door are rotated: each shows the new one to whoever comes, and of the devices that are there none loses its connection', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'loadstone-rotation-')), at = (...parts: string[]): string => join(folder, ...parts), pem = (file: string): string => readFileSync(at('pki', file), 'utf8')
  const base = await portBase(50_000), { settings, resolved } = await readSettings({ data: folder, portBase: base }, {}, { host: 'loopback', vtnHttpPort: 8082, rateLimits: false })
  const server = await build({ settings, resolved, data: { path: folder, at }, clock: systemClock, log: silent, seed: 'conformance' }), { ready } = server
  t.teardown(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const root = pem('tls-ca.pem'), sep = { ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', ecdhCurve: 'prime256v1', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', key: pem('device-1.key'), cert: pem('device-1.pem') + pem('chain.pem'), ca: pem('serca.pem'), checkServerIdentity: () => undefined } as const
  const doors = { vtn: base + 1, mqtt: base + 3, csip: base + 4, est: base + 5, ocppTls: base + 7 } as const
  const shown = async (door: keyof typeof doors): Promise<string> => {
    const socket = connect({ host: 'localhost', port: doors[door], servername: 'localhost', ...(door === 'csip' ? sep : { ca: root }) })
    await once(socket, 'secureConnect')
    const print = socket.getPeerX509Certificate()!
    socket.destroy()
    return `${print.fingerprint256} ${print.publicKey.export({ type: 'spki', format: 'der' }).toString('hex')}`
  }

  // who is there: a VEN's connection, an inverter's, an EST client's, a station's, a subscriber's
  const lost: string[] = [], keep = (tls: object): Agent => new Agent({ keepAlive: true, maxSockets: 1, ...tls })
  const agents = { vtn: keep({ ca: root }), est: keep({ ca: root }), csip: keep(sep) }, sockets = new Map<string, TLSSocket>()
  const ask = (door: keyof typeof agents, path: string): Promise<number> => new Promise((done, fail) => {
    const asked = request({ host: 'localhost', port: doors[door], path, agent: agents[door], headers: { accept: 'application/sep+xml, application/json' } }, (answer) => { answer.resume().once('end', () => done(answer.statusCode ?? 0)) })
    asked.once('socket', (socket) => {
      const before = sockets.get(door)
      if (before !== undefined && before !== socket) lost.push(door)
      sockets.set(door, socket as TLSSocket)
    }).once('error', fail).end()
  })
  const each = async (): Promise<number[]> => [await ask('vtn', '/openadr3/3.1.1/auth/server'), await ask('est', '/.well-known/est/cacerts'), await ask('csip', '/dcap')]
  t.same(await each(), [200, 200, 200])
  const station = new WebSocket(`${ready.ocppTls}/CS001`, ['ocpp2.0.1'], { ca: root, headers: { authorization: `Basic ${Buffer.from('CS001:loadstone-CS001-pass').toString('base64')}` } })
  await once(station, 'open')
  station.on('close', () => lost.push('ocppTls'))
  const { access_token } = await (await fetch(`${ready.vtnHttp}/auth/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'ven_client', client_secret: '999' }) })).json() as { access_token: string }
  const subscriber = await mqtt.connectAsync(ready.mqtt!, { ca: root, username: 'ven_client', password: access_token, reconnectPeriod: 0 })
  subscriber.on('close', () => lost.push('mqtt'))

  const names = Object.keys(doors) as (keyof typeof doors)[], before = new Map(await Promise.all(names.map(async (door) => [door, await shown(door)] as const)))
  for (const file of ['tls-server', 'tls-server-rsa', 'server']) for (const kind of ['pem', 'key']) rmSync(at('pki', `${file}.${kind}`))
  process.emit('SIGHUP')
  for (const door of names) {
    let now = before.get(door)
    for (const end = performance.now() + 30_000; performance.now() < end && now === before.get(door); await new Promise((done) => { setTimeout(done, 50) })) now = await shown(door)
    const [print, key] = String(now).split(' '), [printBefore, keyBefore] = before.get(door)!.split(' ')
    t.not(print, printBefore, `${door} shows another certificate`)
    t.not(key, keyBefore, `${door} with another key`)
  }

  // who was there goes on over the same connection
  t.same(await each(), [200, 200, 200])
  const answered = once(station, 'message')
  station.send(JSON.stringify([2, 'boot', 'BootNotification', { reason: 'PowerUp', chargingStation: { model: 'kept', vendorName: 'test' } }]))
  t.match(JSON.parse(String((await answered)[0])), [3, 'boot', { status: 'Accepted' }])
  await new Promise<void>((done, fail) => { subscriber.sendPing(); subscriber.once('packetreceive', (packet) => (packet.cmd === 'pingresp' ? done() : fail(new Error(packet.cmd)))) })
  t.same(lost, [], 'nobody lost the connection')
  station.removeAllListeners('close')
  subscriber.removeAllListeners('close')
  station.terminate()
  await subscriber.endAsync(true)
  for (const agent of Object.values(agents)) agent.destroy()
})
