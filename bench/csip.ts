import https from 'node:https'
import tls from 'node:tls'
import { SaxesParser } from 'saxes'
import type { Emit } from '#bench/figure.js'
import { rounded } from '#bench/figure.js'
import { systemClock } from '#core/port/clock.js'
import { makePki, sep, serverUnderTest, type Identity, type Pki } from '#csip-server/fixture.js'
import { makeCodec } from '#csip-server/codec.js'
import { MirrorMeterReading } from '#csip-server/wire/mirror-usage-point.js'
import { devicePeer } from '#csip-server/identity.js'
import { testDatabase } from '#prisma/test-database.js'

const clients = 100
const ccm8 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', ecdhCurve: 'prime256v1' } as const

/** SEP-250 and the CSIP lines of stack.md: our door and a bare node:https server with the same suite, in the same run, sharing the cores with the load. */
export default async function csip(emit: Emit): Promise<void> {
  parse(emit)
  const pki = await makePki(), db = await testDatabase({ poolSize: 8 })
  const { csip: server, close } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock: systemClock })
  const port = await server.listen({ port: 0, hosts: ['127.0.0.1'] })
  const bare = await bareServer(pki)
  try {
    const fleet = await Promise.all(Array.from({ length: clients }, (_, i) => pki.device(`bench-${i}`)))
    await server.provisioning.registerEndDevices(fleet.map((d, i) => ({ lfdi: d.lfdi, groups: ['system', 'F1', `sp-${i}`] })))
    await keptAlive(emit, pki, fleet, port, bare.port)
    await handshakes(emit, pki, fleet[0] as Identity, port, bare.port)
    await mirror(emit, server, fleet)
    await lists(emit, server, fleet[0] as Identity, db.tenant)
  } finally {
    bare.server.closeAllConnections()
    bare.server.close()
    await close()
    await db.close()
  }
}

async function bareServer(pki: Pki): Promise<{ server: https.Server; port: number }> {
  const body = Buffer.alloc(700, 'x')
  const server = https.createServer({ ...ccm8, key: pki.server.key, cert: pki.server.cert, ca: [pki.serca], requestCert: true, rejectUnauthorized: true, keepAliveTimeout: 900_000 }, (_req, res) => {
    res.writeHead(200, ['Content-Type', 'application/sep+xml', 'Content-Length', String(body.length)])
    res.end(body)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return { server, port: (server.address() as { port: number }).port }
}

/** Raw requests over one TLS socket each: the load generator must not be what is measured. */
async function drive(pki: Pki, fleet: readonly Identity[], port: number, paths: readonly string[], ms: number): Promise<{ rate: number; p99: number }> {
  const requests = paths.map((p) => Buffer.from(`GET ${p} HTTP/1.1\r\nHost: localhost\r\nAccept: application/sep+xml\r\n\r\n`))
  const sockets = await Promise.all(fleet.map((d) => new Promise<tls.TLSSocket>((done, failed) => {
    const socket = tls.connect({ ...ccm8, host: '127.0.0.1', port, key: d.key, cert: d.cert, ca: pki.serca, checkServerIdentity: () => undefined }, () => done(socket))
    socket.once('error', failed)
  })))
  let running = true, answered = 0
  const latencies: number[] = []
  const loops = sockets.map((socket, i) => new Promise<void>((done) => {
    let n = i, sent = 0, expected = 0, got = 0
    const next = (): void => {
      if (!running) { socket.end(); done(); return }
      sent = performance.now(); expected = 0; got = 0
      socket.write(requests[n++ % requests.length] as Buffer)
    }
    socket.on('data', (part: Buffer) => {
      if (expected === 0) {
        const end = part.indexOf('\r\n\r\n')
        const length = Number(/content-length: (\d+)/i.exec(part.toString('latin1', 0, end))?.[1])
        expected = end + 4 + length
      }
      got += part.length
      if (got < expected) return
      answered++
      latencies.push(performance.now() - sent)
      next()
    })
    next()
  }))
  const warm = 500
  await new Promise((r) => setTimeout(r, warm))
  answered = 0; latencies.length = 0
  const begun = performance.now()
  await new Promise((r) => setTimeout(r, ms))
  const rate = answered / ((performance.now() - begun) / 1000)
  running = false
  await Promise.all(loops)
  latencies.sort((a, b) => a - b)
  return { rate, p99: latencies[Math.floor(latencies.length * 0.99)] ?? 0 }
}

async function keptAlive(emit: Emit, pki: Pki, fleet: readonly Identity[], port: number, barePort: number): Promise<void> {
  const paths = ['/dcap', '/tm', '/edev']
  const ours: { rate: number; p99: number }[] = [], theirs: { rate: number; p99: number }[] = []
  for (let round = 0; round < 3; round++) {
    theirs.push(await drive(pki, fleet, barePort, paths, 1500))
    ours.push(await drive(pki, fleet, port, paths, 1500))
  }
  const best = (runs: { rate: number; p99: number }[]) => runs.sort((a, b) => a.rate - b.rate)[1] as { rate: number; p99: number }
  const a = best(ours), b = best(theirs)
  emit({ name: 'csip ccm8 kept alive', value: rounded(a.rate), unit: 'requests/s', n: clients, baseline: rounded(b.rate), ratio: rounded(a.rate / b.rate) })
  emit({ name: 'csip ccm8 kept alive p99', value: rounded(a.p99), unit: 'ms', n: clients, baseline: rounded(b.p99), ratio: rounded(a.p99 / b.p99) })
}

async function handshakes(emit: Emit, pki: Pki, device: Identity, port: number, barePort: number): Promise<void> {
  const secureContext = tls.createSecureContext({ ...ccm8, key: device.key, cert: device.cert, ca: pki.serca })
  const once = (at: number, session?: Buffer): Promise<Buffer | undefined> => new Promise((done, failed) => {
    const socket = tls.connect({ ...ccm8, host: '127.0.0.1', port: at, secureContext, checkServerIdentity: () => undefined, ...(session ? { session } : {}) })
    socket.on('secureConnect', () => {
      if (session && !socket.isSessionReused()) failed(new Error('the session was not resumed'))
      setImmediate(() => { const kept = socket.getSession(); socket.destroy(); done(kept) })
    })
    socket.on('error', failed)
  })
  async function rate(at: number, resumed: boolean): Promise<number> {
    const session = resumed ? await once(at) : undefined
    const count = 600, begun = performance.now()
    let left = count
    await Promise.all(Array.from({ length: 8 }, async () => { while (left-- > 0) await once(at, session) }))
    return count / ((performance.now() - begun) / 1000)
  }
  for (const [name, resumed] of [['full', false], ['resumed', true]] as const) {
    const runs = { ours: [] as number[], bare: [] as number[] }
    for (let i = 0; i < 3; i++) { runs.bare.push(await rate(barePort, resumed)); runs.ours.push(await rate(port, resumed)) }
    const middle = (v: number[]): number => v.sort((a, b) => a - b)[1] as number
    const value = middle(runs.ours), baseline = middle(runs.bare)
    emit({ name: `csip handshakes ${name}`, value: rounded(value), unit: '/s', n: 600, baseline: rounded(baseline), ratio: rounded(value / baseline) })
  }
}

/** Lists of 50 controls without TLS: cached, and after every answer another change. */
async function lists(emit: Emit, server: ReturnType<typeof serverUnderTest>['csip'], device: Identity, tenant: string): Promise<void> {
  const now = systemClock.now(), peer = devicePeer(device.lfdi, device.sfdi)
  const body = (i: number): object => ({
    mRID: i.toString(16).padStart(32, '0').toUpperCase(), creationTime: now, version: 0, interval: { start: now + 3600 + i * 600, duration: 600 }, responseRequired: '03',
    DERControlBase: { opModTargetW: { multiplier: 0, value: 3000 + i }, rampTms: 100 },
  })
  const { documents } = server.context
  const make = (i: number) => ({ tenant, kind: 'csip/DERControl', id: i.toString(16).padStart(32, '0').toUpperCase(), parent: 'F1', key: i.toString(16).padStart(32, '0').toUpperCase(), sort1: now + 3600 + i * 600, sort2: now, body: body(i) })
  await documents.insertMany(Array.from({ length: 50 }, (_, i) => make(i)), Date.now())
  const ask = (target = '/derp/F1/derc?l=50') => server.door.handle({ method: 'GET', target, peer })
  const answer = await ask()
  if (answer.status !== 200) throw new Error(`list answered ${answer.status}`)
  let begun = performance.now()
  const many = 200_000
  for (let i = 0; i < many; i++) await ask()
  emit({ name: 'csip list cached', value: rounded(many / ((performance.now() - begun) / 1000)), unit: 'requests/s', n: many })
  // 50 clients ask while the list changes under them; a parameter that nobody knows keeps each answer from being one that was kept.
  const state = { stop: false }
  let changes = 0
  const changing = (async () => { for (let i = 0; !state.stop; i++) { await documents.insertMany([make(i % 50)], Date.now(), { onConflict: 'replace' }); changes++ } })()
  begun = performance.now()
  const asked = 10_000
  let left = asked
  const turn = (): Promise<void> => new Promise((done) => setImmediate(done))
  await Promise.all(Array.from({ length: 50 }, async () => { while (left-- > 0) { await ask(`/derp/F1/derc?l=50&x=${left}`); await turn() } }))
  const rate = asked / ((performance.now() - begun) / 1000)
  const during = changes
  // What the same requests cost while a program of a few lines writes each list anew, without XML rules, rights, cache or database.
  begun = performance.now()
  left = asked
  await Promise.all(Array.from({ length: 50 }, async () => { while (left-- > 0) { bareList(now); await turn() } }))
  const bare = asked / ((performance.now() - begun) / 1000)
  state.stop = true
  await changing
  emit({ name: 'csip list changed', value: rounded(rate), unit: 'requests/s', n: during, baseline: rounded(bare), ratio: rounded(rate / bare) })
}

/** The list of 50 controls from a template. */
const bareList = (now: number): Buffer => Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<DERControlList xmlns="urn:ieee:std:2030.5:ns" href="/derp/F1/derc" subscribable="1" all="50" results="50">${Array.from({ length: 50 }, (_, i) => {
  const mRID = i.toString(16).padStart(32, '0').toUpperCase()
  return `<DERControl href="/derp/F1/derc/${mRID}" replyTo="/rsps/der/rsp" responseRequired="03" subscribable="0"><mRID>${mRID}</mRID><version>0</version><creationTime>${now}</creationTime><EventStatus><currentStatus>0</currentStatus><dateTime>${now}</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval><duration>600</duration><start>${now + 3600 + i * 600}</start></interval><DERControlBase><opModTargetW><multiplier>0</multiplier><value>${3000 + i}</value></opModTargetW><rampTms>100</rampTms></DERControlBase></DERControl>`
}).join('')}</DERControlList>`)

/** SEP-253: posts of one series each, 50 at a time, acknowledged after they are stored. */
async function mirror(emit: Emit, server: ReturnType<typeof serverUnderTest>['csip'], fleet: readonly Identity[]): Promise<void> {
  const now = systemClock.now(), hex = (kind: string, i: number): string => `${kind}${i.toString(16).padStart(30, '0')}`.toUpperCase()
  const post = (d: Identity, target: string, xml: string) => server.door.handle({ method: 'POST', target, peer: devicePeer(d.lfdi, d.sfdi), contentType: 'application/sep+xml', body: Buffer.from(xml) })
  const type = '<ReadingType><accumulationBehaviour>4</accumulationBehaviour><flowDirection>1</flowDirection><intervalLength>900</intervalLength><uom>72</uom></ReadingType>'
  const places = await Promise.all(fleet.slice(0, 50).map(async (d, i) => (await post(d, '/mup', sep('MirrorUsagePoint', `<mRID>${hex('A1', i)}</mRID><roleFlags>0003</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${d.lfdi}</deviceLFDI><MirrorMeterReading><mRID>${hex('A2', i)}</mRID>${type}</MirrorMeterReading>`))).location ?? ''))
  const total = 4000
  let left = total, refused = 0
  const begun = performance.now()
  await Promise.all(places.map(async (place, i) => {
    while (left-- > 0) {
      const start = now - 900 * (left + 1)
      const answer = await post(fleet[i] as Identity, place, sep('MirrorMeterReading', `<mRID>${hex('A2', i)}</mRID><MirrorReadingSet><mRID>A3</mRID><timePeriod><duration>900</duration><start>${start}</start></timePeriod><Reading><timePeriod><duration>900</duration><start>${start}</start></timePeriod><value>250</value></Reading></MirrorReadingSet>`))
      if (answer.status !== 201) refused++
    }
  }))
  if (refused > 0) throw new Error(`${refused} posts refused`)
  emit({ name: 'csip mirror posts', value: rounded(total / ((performance.now() - begun) / 1000)), unit: 'posts/s', n: total })
}

function parse(emit: Emit): void {
  const reading = (i: number): string => `<Reading><qualityFlags>01</qualityFlags><timePeriod><duration>300</duration><start>${1_795_230_000 + i * 300}</start></timePeriod><value>${4800 + i}</value><localID>${i.toString(16).padStart(4, '0')}</localID></Reading>`
  const xml = Buffer.from(sep('MirrorMeterReading', `<mRID>A2</mRID><MirrorReadingSet><mRID>A3</mRID><timePeriod><duration>90000</duration><start>1795230000</start></timePeriod>${Array.from({ length: 300 }, (_, i) => reading(i)).join('')}</MirrorReadingSet>`))
  const codec = makeCodec('csip'), median = (work: () => void): number => {
    const taken: number[] = []
    for (let i = 0; i < 300; i++) { const at = performance.now(); work(); taken.push(performance.now() - at) }
    return taken.sort((a, b) => a - b)[150] as number
  }
  const value = median(() => codec.read(xml, [MirrorMeterReading]))
  // The bare parser alone, with nobody listening: no tree, no types, no checks.
  const bare = median(() => { new SaxesParser({ xmlns: true, position: false }).write(xml.toString()).close() })
  emit({ name: 'mirror meter reading of 300', value: rounded(value), unit: 'ms', n: 300, baseline: rounded(bare), ratio: rounded(value / bare) })
}
