import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import t from 'tap'
import { certificatePem, createIntermediate, createSerca, indefinite, issueDevice, keyPem, keySigner, newEcKey, serialFrom, spkiOf } from '#certs/index.js'
import { readSettings } from '#cli/settings.js'
import { randomIds } from '#core/port/ids.js'
import { handClock, systemClock, type Clock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import { build } from '#main.js'
import { followFolder } from '#main/reload.js'
import { Closing } from '#main/shape.js'
import type { Certificates } from '#main/certificates.js'

const folder = mkdtempSync(join(tmpdir(), 'loadstone-reload-'))
const at = (...parts: string[]): string => join(folder, ...parts), text = (file: string): string => readFileSync(at('pki', file), 'utf8')
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise((done) => { probe.close(done) })
  return port
}

const ccm8 = { ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', ecdhCurve: 'prime256v1', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const

t.test('SEP-212, SEP-206, UX-076, UX-070 another manufacturer and a renewed certificate are in use without a restart', async (t) => {
  const [csipPort, estPort] = [await freePort(), await freePort()]
  const off = { operatorPort: 0, vtnPort: 0, mqttPort: 0, ocppPort: 0, ocppTlsPort: 0 }
  const { settings } = await readSettings({ data: folder, ...off, csipPort, estPort, names: 'grid.example.org', csipSni: 'csip.example.org' }, {}, { host: 'loopback' })
  const server = await build({ settings, data: { path: folder, at }, clock: systemClock, log: silent, only: ['csip', 'est'] })
  t.teardown(() => server.stop())
  const fromMs = Date.now() - 86_400_000, validity = { fromMs, toMs: indefinite }, ids = randomIds(() => Date.now()), serial = (): string => serialFrom(ids.hex(16))
  const named = (CN: string) => ({ serial: serial(), subject: [{ CN: [CN] }], validity })
  const serca = await createSerca(named('Maker root'), keySigner(newEcKey())), mica = await createIntermediate('MICA', serca, named('Maker MICA'), keySigner(newEcKey()))
  const key = newEcKey(), device = await issueDevice(mica, { serial: serial(), publicKey: spkiOf(key), hwType: '1.3.6.1.4.1.32473.9', hwSerialNum: 'F-1', validity })
  const dcap = (): Promise<number> => new Promise((done) => {
    const asked = request({ host: '127.0.0.1', port: csipPort, path: '/dcap', agent: false, ...ccm8, key: keyPem(key), cert: certificatePem(device), ca: text('serca.pem'), checkServerIdentity: () => undefined }, (answer) => { answer.resume(); done(answer.statusCode ?? 0) })
    asked.on('error', () => done(0))
    asked.end()
  })
  const until = async (holds: () => Promise<boolean>): Promise<boolean> => {
    for (let i = 0; i < 200; i++) { if (await holds()) return true; await new Promise((done) => { setTimeout(done, 50) }) }
    return false
  }
  t.equal(await dcap(), 0, 'a manufacturer that nobody trusts')
  const lasting = connect({ port: estPort, host: '127.0.0.1', servername: 'grid.example.org', ca: text('tls-ca.pem') })
  await once(lasting, 'secureConnect')
  const before = lasting.getPeerX509Certificate()?.fingerprint256
  t.ok(lasting.authorized, 'LOADSTONE_NAMES stand in the certificate')

  mkdirSync(at('pki', 'trusted'))
  writeFileSync(at('pki', 'trusted', 'maker.pem'), certificatePem(serca.certificate) + certificatePem(mica.certificate))
  rmSync(at('pki', 'tls-server.pem'))
  process.emit('SIGHUP')
  t.ok(await until(async () => await dcap() === 200), 'SIGHUP: the new manufacturer is trusted')
  const fresh = async (): Promise<string | undefined> => {
    const socket = connect({ port: estPort, host: '127.0.0.1', servername: 'csip.example.org', ca: text('tls-ca.pem') })
    await once(socket, 'secureConnect')
    socket.destroy()
    return socket.getPeerX509Certificate()?.fingerprint256
  }
  t.ok(await until(async () => existsSync(at('pki', 'tls-server.pem')) && await fresh() !== before), 'a server certificate that was taken away is made anew and shown')
  const answered = once(lasting, 'data')
  lasting.write('GET /.well-known/est/csrattrs HTTP/1.1\r\nHost: localhost\r\n\r\n')
  t.match(String((await answered)[0]), /^HTTP\/1\.1 200/, 'who was connected stays')
  lasting.destroy()
})

t.test('SEP-212 the folder is looked at every ten seconds; one that cannot be read changes nothing', async (t) => {
  const dir = at('watched'), clock = handClock(Date.UTC(2026, 10, 29)), said: string[] = [], closing = new Closing()
  mkdirSync(dir)
  writeFileSync(join(dir, 'tls-server.pem'), 'a')
  let read = 0, broken = false
  const certificates = { watched: [dir, join(dir, 'trusted')], reload: async () => { read += 1; if (broken) throw new Error('broken') } } as unknown as Certificates
  let looked = (): void => {}
  const machine: Clock = { ...clock, after: (ms, task) => { looked(); return clock.after(ms, task) } }
  await followFolder({ certificates, machine, log: { ...silent, error: (_: object, text: string) => { said.push(text) } }, closing }, false)
  // the folder is read by the file system, so a look ends some turns later: when the next one is on the clock
  const tick = async (): Promise<void> => {
    const done = new Promise<void>((tell) => { looked = tell })
    await clock.advance(10_000)
    await done
  }
  await tick()
  t.equal(read, 0, 'nothing changed')
  utimesSync(join(dir, 'tls-server.pem'), 1, 1)
  await tick()
  t.equal(read, 1)
  await tick()
  t.equal(read, 1, 'once')
  broken = true
  mkdirSync(join(dir, 'trusted'))
  writeFileSync(join(dir, 'trusted', 'x.pem'), 'x')
  await tick()
  t.match(said, [/old ones stay/])
  await closing.run(silent)
  utimesSync(join(dir, 'tls-server.pem'), 2, 2)
  await clock.advance(60_000)
  t.equal(read, 2, 'and not after the end: nothing is on the clock')
})
