import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { rounded, type Emit } from '#bench/figure.js'
import { systemClock } from '#core/port/clock.js'
import { makePki, sep, serverUnderTest, textOf } from '#csip-server/fixture.js'
import { devicePeer } from '#csip-server/identity.js'
import { testDatabase } from '#prisma/test-database.js'

const subscribers = 100, changesPerSecond = 20

/**
 * SEP-251: 100 subscribers of one list, 20 changes a second. What counts is not how many notifications were posted (a burst is one) but that every
 * receiver ends with the last state, soon. Then the receivers are away for a while, and the last state must come without a new change.
 * LOADSTONE_BENCH_SECONDS scales the load (default 15; the requirement's own run is 60), LOADSTONE_BENCH_OUTAGE_SECONDS the outage (default 2; 300 for SEP-157's).
 */
export default async function csipNotify(emit: Emit): Promise<void> {
  const seconds = Number(process.env['LOADSTONE_BENCH_SECONDS'] ?? 15)
  const pki = await makePki(), db = await testDatabase({ poolSize: 8 })
  const outage_s = Number(process.env['LOADSTONE_BENCH_OUTAGE_SECONDS'] ?? 2)
  const state = { away: false, posted: 0 }, lags: number[] = [], written: number[] = []
  const last = new Map<string, { version: string; at: number }>()
  const sink = http.createServer((req, res) => {
    let body = ''
    req.on('data', (d: Buffer) => { body += d.toString() })
    req.on('end', () => {
      if (state.away) { res.writeHead(503).end(); return }
      state.posted++
      const version = textOf(body, 'version') ?? '', at = performance.now()
      last.set(req.url ?? '', { version, at })
      lags.push(at - (written[Number(version)] ?? at))
      res.writeHead(204).end()
    })
  })
  await new Promise<void>((done) => sink.listen(0, '127.0.0.1', done))
  const uri = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`
  const { csip, close } = serverUnderTest({ pki, documents: db.stores.documents, tenant: db.tenant, clock: systemClock, config: { notifyAllow: ['127.0.0.1'] } })
  try {
    await csip.listen({ port: 0, hosts: ['127.0.0.1'] })
    const fleet = await Promise.all(Array.from({ length: subscribers }, (_, i) => pki.device(`n-${i}`)))
    await csip.provisioning.registerEndDevices(fleet.map((d) => ({ lfdi: d.lfdi, groups: ['system', 'F1'] })))
    for (const [i, d] of fleet.entries()) {
      const made = await csip.door.handle({ method: 'POST', target: `/edev/${d.lfdi}/sub`, peer: devicePeer(d.lfdi, d.sfdi), contentType: 'application/sep+xml', body: Buffer.from(sep('Subscription', `<subscribedResource>/derp/F1/dderc</subscribedResource><encoding>0</encoding><level>+S1</level><limit>1</limit><notificationURI>${uri}/${i}</notificationURI>`)) })
      if (made.status !== 201) throw new Error(`subscription answered ${made.status}`)
    }
    const own = await csip.context.documents.get<Record<string, unknown>>(db.tenant, 'csip/DefaultDERControl', 'F1')
    if (!own) throw new Error('no default control')
    let version = 0
    const change = async (): Promise<void> => { written[++version] = performance.now(); await csip.context.documents.replace({ ...own, body: { ...own.body, version } }, systemClock.nowMs()) }
    const settled = async (within_ms: number): Promise<number> => {
      const begun = performance.now()
      while (performance.now() - begun < within_ms) {
        if (last.size === subscribers && [...last.values()].every((l) => l.version === String(version))) return performance.now() - begun
        await new Promise((r) => setTimeout(r, 5))
      }
      return Number.NaN
    }
    const peer = devicePeer(fleet[0]!.lfdi, fleet[0]!.sfdi), asked: number[] = []
    const begun = performance.now()
    while (performance.now() - begun < seconds * 1000) {
      const due = begun + version * (1000 / changesPerSecond)
      await new Promise((r) => setTimeout(r, Math.max(0, due - performance.now())))
      await change()
      const at = performance.now()
      const answer = await csip.door.handle({ method: 'GET', target: '/derp/F1/dderc', peer })
      if (answer.status === 200) asked.push(performance.now() - at)
    }
    const rate = state.posted / ((performance.now() - begun) / 1000)
    await settled(10_000)
    const lost = (): number => subscribers - [...last.values()].filter((l) => l.version === String(version)).length
    emit({ name: 'csip notifications', value: rounded(rate), unit: '/s', n: state.posted, baseline: subscribers * changesPerSecond, ratio: rounded(rate / (subscribers * changesPerSecond)) })
    emit({ name: 'csip notifications, final state lost', value: lost(), unit: 'receivers', n: subscribers })
    // Of every notification: how old the newest change in it was when it came.
    lags.sort((a, b) => a - b)
    emit({ name: 'csip notification after its change p99', value: rounded(lags[Math.floor(lags.length * 0.99)] ?? 0), unit: 'ms', n: lags.length })
    asked.sort((a, b) => a - b)
    emit({ name: 'csip requests under notifications p99', value: rounded(asked[Math.floor(asked.length * 0.99)] ?? 0), unit: 'ms', n: asked.length })
    // An outage: the newest state waits and comes at the next attempt (10 s after the first refusal).
    state.away = true
    for (let i = 0; i < 40; i++) await change()
    await new Promise((r) => setTimeout(r, outage_s * 1000))
    state.away = false
    // The pending state comes with the next attempt; waits between attempts grow to about as long as the outage was.
    const back = await settled((45 + outage_s * 1.5) * 1000)
    emit({ name: 'csip notifications, lost after an outage', value: lost(), unit: 'receivers', n: subscribers })
    emit({ name: 'csip notifications, right again after an outage', value: rounded(back / 1000), unit: 's', n: subscribers })
  } finally {
    await close()
    sink.closeAllConnections()
    sink.close()
    await db.close()
  }
}
