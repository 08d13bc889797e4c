import t from 'tap'
import { judge, serviceLevels, type Served } from '#core/kpi/service-level.js'
import { watchOnce } from '#core/kpi/watch-levels.js'
import { homes, testDoor } from '#core/operator/test-door.js'

t.setTimeout(240_000)
/** Noon in Denver on a Wednesday. */
const noon = Date.UTC(2026, 6, 15, 18)
const now = noon / 1000

const served = (good: number, total: number, from: number, to: number): Served[] => {
  const out: Served[] = []
  for (let at = now - from; at < now - to; at += 300) out.push({ link: 'dispatch', at: at + 300, good, total })
  return out
}
const dispatchOf = (rows: readonly Served[]) => judge(rows, now).find((l) => l.link === 'dispatch')!

t.test('CORE-197 every link from ingest to settle has a promise; nothing asked is null, not perfect', async (t) => {
  t.same(serviceLevels.map((s) => s.link), ['ingest', 'forecast', 'bid', 'dispatch', 'settle'])
  const quiet = dispatchOf([])
  t.match(quiet, { objective: 0.995, alerts: { length: 0 } })
  t.ok(quiet.windows.every((w) => w.level === null && w.burnRate === null))
})

t.test('CORE-197 a fast burn pages, a slow one makes a ticket, one bad minute and an old trouble do neither', async (t) => {
  // 928 of 1000 well served of 0.995 promised: 14.4 times too fast
  t.match(dispatchOf(served(928, 1000, 3600, 0)).alerts, [{ severity: 'page', rate: 14.4, window_s: 3600 }, { severity: 'ticket', rate: 1 }])
  t.match(dispatchOf([...served(1000, 1000, 86_400, 300), ...served(0, 1000, 300, 0)]).alerts.map((a) => a.severity), ['page'], 'five minutes of nothing are 8 % of an hour')
  t.same(dispatchOf([...served(1000, 1000, 86_400, 300), ...served(995, 1000, 300, 0)]).alerts, [], 'within the budget')
  t.same(dispatchOf([...served(800, 1000, 7200, 3600), ...served(1000, 1000, 3600, 0)]).alerts.filter((a) => a.severity === 'page'), [], 'over since an hour: the short window says so')
  t.match(dispatchOf(served(995 - 1, 1000, 259_200, 0)).alerts, [{ severity: 'ticket', burnRate: /1\.2/ }])
})

t.test('CORE-197 over the database: late readings burn, the alert is raised once, told to webhooks, and ended', async (t) => {
  const { as, clock, core, database } = await testDoor(t, { nowMs: noon }), ada = await as('admin', 'ada')
  await homes(ada, 1)
  await ada('POST', 'webhooks', { url: 'https://example.org/hook', events: ['serviceLevel.*'] })
  const rows = (from: number, n: number) => Array.from({ length: n }, (_, i) => ({ servicePoint: 'home-0', start: new Date((from + i * 900) * 1000).toISOString(), minutes: 15, Wh: 250 }))
  const ingest = async () => (await ada('GET', 'service-levels')).data.items.find((i: { link: string }) => i.link === 'ingest')
  // six hours are handed in at once: all but the last are late
  t.equal((await ada('POST', 'readings', { readings: rows(now - 6 * 3600, 24) })).statusCode, 200)
  await clock.advance(3_600_000)
  const bad = await ingest()
  t.equal(bad.windows.find((w: { window_s: number }) => w.window_s === 21_600).total, 24)
  t.ok(bad.alerts.some((a: { severity: string }) => a.severity === 'page'), JSON.stringify(bad))
  for (let i = 0; i < 2; i++) await watchOnce(core.transact, database.stores, clock, 'default')
  const open = (await ada('GET', 'service-levels/alerts')).data.items
  t.same(open.map((a: { link: string; severity: string }) => `${a.link}/${a.severity}`).sort(), ['ingest/page', 'ingest/ticket'], 'each once')
  const hook = (await ada('GET', 'webhooks')).data.items[0].id
  t.match((await ada('GET', `webhooks/${hook}/deliveries`)).data.items.map((d: { event: { type: string } }) => d.event.type), ['serviceLevel.alert', 'serviceLevel.alert'])
  // three days of readings in time
  for (let h = 0; h < 76; h += 4) {
    await ada('POST', 'readings', { readings: rows(clock.now() - 900, 1) })
    for (let q = 0; q < 16; q++) {
      await clock.advance(900_000)
      await ada('POST', 'readings', { readings: rows(clock.now() - 900, 1) })
    }
  }
  t.match(await ingest(), { alerts: { length: 0 } })
  await watchOnce(core.transact, database.stores, clock, 'default')
  t.equal((await ada('GET', 'service-levels/alerts')).data.items.length, 0)
  t.equal((await ada('GET', 'service-levels/alerts?state=ended')).data.items.length, 2)
  t.same([...new Set((await ada('GET', 'audit?limit=1000')).data.items.map((r: { action: string }) => r.action).filter((a: string) => a.startsWith('serviceLevel')))], ['serviceLevel.alert', 'serviceLevel.alert-end'])
})
