import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { handClock } from '#core/port/clock.js'
import { Device, makePki, sep, serverUnderTest } from '#csip-server/fixture.js'
import { testDatabase } from '#prisma/test-database.js'

const clock = handClock(Date.UTC(2026, 10, 23, 22, 0, 0))
const pki = await makePki(), db = await testDatabase({ clock })
const devices = await Promise.all(['a', 'b', 'c'].map((s) => pki.device(s)))
await serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock }).csip.provisioning.registerEndDevices(devices.map((d) => ({ lfdi: d.lfdi, groups: ['system', d.lfdi] })))
t.teardown(() => db.close())

/** The child beside this file, compiled or not as this file is. */
const file = fileURLToPath(new URL(`./crash-child${extname(fileURLToPath(import.meta.url))}`, import.meta.url))

async function started(): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(file, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: process.execArgv.filter((a) => !a.startsWith('--import=/') || a.includes('tsx')) })
  child.send({ url: db.url, tenant: db.tenant, nowMs: clock.nowMs(), pki: { serca: pki.serca, mica: pki.mica.certificate.toString('base64'), server: pki.server } })
  const [{ port }] = await once(child, 'message') as [{ port: number }]
  return { child, port }
}

const type = '<ReadingType><accumulationBehaviour>4</accumulationBehaviour><flowDirection>1</flowDirection><intervalLength>900</intervalLength><uom>72</uom></ReadingType>'

t.test('SEP-047, SEP-254 kill -9 at any moment: what was acknowledged is there', { timeout: 120_000 }, async (t) => {
  const acknowledged: { path: string; lfdi: string }[] = []
  let n = 0
  for (let round = 0; round < 4; round++) {
    const { child, port } = await started()
    let killed = false
    const exited = once(child, 'exit')
    const work = devices.map(async (d) => {
      const client = new Device(d, port, pki.serca)
      try {
        while (!killed) {
          const id = (++n).toString(16).padStart(8, '0').toUpperCase()
          const event = await client.ask('POST', `/edev/${d.lfdi}/lel`, sep('LogEvent', `<createdDateTime>${n}</createdDateTime><functionSet>1</functionSet><logEventCode>1</logEventCode><logEventID>${n % 65_536}</logEventID><logEventPEN>1</logEventPEN><profileID>2</profileID>`))
          if (event.status === 201) acknowledged.push({ path: event.headers.location!, lfdi: d.lfdi })
          const mup = await client.ask('POST', '/mup', sep('MirrorUsagePoint', `<mRID>${id}</mRID><roleFlags>0049</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${d.lfdi}</deviceLFDI><MirrorMeterReading><mRID>A0${id}</mRID>${type}</MirrorMeterReading>`))
          if (mup.status === 201) acknowledged.push({ path: mup.headers.location!, lfdi: d.lfdi })
        }
      } catch { /* the server was killed under it */ } finally { client.close() }
    })
    const enough = acknowledged.length + 30
    while (acknowledged.length < enough) await new Promise((r) => setTimeout(r, 5))
    await new Promise((r) => setTimeout(r, round * 7))
    child.kill('SIGKILL')
    killed = true
    await Promise.all([exited, ...work])
  }
  const { child, port } = await started()
  const clients = new Map(devices.map((d) => [d.lfdi, new Device(d, port, pki.serca)]))
  const lost: string[] = []
  for (const { path, lfdi } of acknowledged) if ((await clients.get(lfdi)!.get(path)).status !== 200) lost.push(path)
  t.ok(acknowledged.length >= 120, `${acknowledged.length} writes acknowledged over four kills`)
  t.same(lost, [])
  for (const c of clients.values()) c.close()
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
})
