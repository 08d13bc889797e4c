import { writeFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { CliExit, exitCode } from '#cli/exit-code.js'
import { run } from '#cli/test-run.js'
import { assemble } from '#core/assemble.js'
import { system } from '#core/caller.js'
import { buildOperator } from '#core/operator/door.js'
import { handClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { createToken } from '#core/token/token.js'
import { testDatabase } from '#prisma/test-database.js'

// real databases on a machine that is shared with other tests
t.setTimeout(240_000)

t.test('UX-010, UX-011, UX-012, UX-016, UX-063, UX-066 the operator API by hand', async (t) => {
  const { database, close } = await testDatabase(), clock = handClock(Date.UTC(2026, 6, 15, 18))
  const core = assemble({ database, clock, ids: randomIds(clock.nowMs), log: silent }), app = await buildOperator({ core, log: silent, version: '0' })
  // CORE-202: only what a channel can leave safe may be ordered; the orders of this test stay queued
  core.connect({ openadr: { protocol: 'openadr', send: async () => [], cancel: async () => [] } })
  const url = await app.listen({ port: 0, host: '127.0.0.1' }), folder = mkdtempSync(join(tmpdir(), 'loadstone-cli-'))
  const { token } = await core.transact((w) => createToken(w, system('default'), { role: 'admin', user: 'ada' }))
  t.teardown(async () => {
    rmSync(folder, { recursive: true })
    await app.close()
    await close()
  })
  const cli = async (...args: string[]): Promise<any> => {
    const { out, error } = await run([...args, '--url', url, '--token', token, '--json'])
    if (error) throw error
    return JSON.parse(out)
  }
  const code = async (...args: string[]): Promise<unknown> => ((await run([...args, '--url', url, '--token', token])).error as CliExit | undefined)?.code

  writeFileSync(join(folder, 'peak.json'), JSON.stringify({ name: 'peak', timeZone: 'America/Denver', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, currency: 'USD', customerShare: '0.7', energyPrice: '0.5' }))
  t.match(await cli('program', 'create', '--file', join(folder, 'peak.json')), { name: 'peak', version: 1 })
  t.match(await cli('program', 'change', 'peak', '--set', 'energyPrice="0.55"', '--if-version', '1'), { energyPrice: '0.55', version: 2 })
  t.equal(await code('program', 'change', 'peak', '--set', 'energyPrice="0.6"', '--if-version', '1'), exitCode.refused)
  t.match(await cli('service-point', 'create', '--set', 'name=home-1'), { name: 'home-1' })
  t.match(await cli('resource', 'create', '--set', 'name=b', '--set', 'servicePoint=home-1', '--set', 'kind=battery', '--set', 'rated_kW=5', '--set', 'bindings=[{"protocol":"openadr","remoteId":"v"}]'), { name: 'b' })
  const enrolment = await cli('enrolment', 'create', '--set', 'program=peak', '--set', 'servicePoint=home-1')
  for (const to of ['eligible', 'verified', 'active']) t.match(await cli('enrolment', 'move', enrolment.id, to), { state: to })
  writeFileSync(join(folder, 'm.csv'), 'servicePoint,start,minutes,Wh\nhome-1,2026-07-14T00:00:00Z,15,100\n')
  t.match(await cli('readings', 'import', join(folder, 'm.csv')), { accepted: 1 })
  writeFileSync(join(folder, 'bad.csv'), 'servicePoint,start,minutes,Wh\nhome-1,2026-07-14T00:00:00Z,7,100\n')
  t.equal(await code('readings', 'import', join(folder, 'bad.csv')), exitCode.usage)
  const order = ['dispatch', 'create', '--program', 'peak', '--power', '4', '--start', '2026-07-15T16:00', '--duration', 'PT2H']
  t.match(await cli(...order, '--dry-run'), { dryRun: true, allocated_kW: 4 })
  t.equal(await code(...order), exitCode.usage, 'no prompt without a terminal')
  const dispatch = await cli(...order, '--yes', '--key', 'one')
  t.equal((await cli(...order, '--yes', '--key', 'one')).id, dispatch.id)
  t.match(await cli('dispatch', 'deliveries', dispatch.id), [{ state: 'queued' }])
  t.match(await cli('dispatch', 'cancel', dispatch.id, '--yes', '--reason', 'drill'), { state: 'cancelled' })
  t.match(await cli('stop', '--reason', 'drill'), { scope: 'all' })
  t.equal(await code(...order, '--yes'), exitCode.refused)
  t.equal(await code('dispatch', 'show', 'nobody'), exitCode.notFound)
  t.match(await cli('token', 'create', 'viewer', '--user', 'vera'), { role: 'viewer', token: /^lst_/ })
  // UX-066: what a customer may ask for, one command each; UX-063: methods side by side; UX-065: a dispute by hand
  t.match(JSON.parse(await cli('readings', 'export', '--service-point', 'home-1', '--format', 'ndjson', '--scope', 'regulator')), { servicePoint: /^[0-9a-f]{32}$/, Wh: 100 })
  t.match((await run(['readings', 'export', '--service-point', 'home-1', '--format', 'xlsx-csv', '--url', url, '--token', token])).out, /servicePoint,start,minutes,Wh,channel,quality\r\nhome-1,/)
  t.match(await cli('readings', 'export', '--service-point', 'home-1'), /^servicePoint,/, 'UX-011: one document, a CSV too')
  t.equal(await code('readings', 'export', '--service-point', 'nobody'), exitCode.notFound)
  t.equal(await code('settlement', 'page', 'nobody'), exitCode.notFound)
  t.match(await cli('readings', 'aggregate', '--by', 'node', '--from', '2026-07-14T00:00:00Z', '--to', '2026-07-15T00:00:00Z'), { groups: [], suppressed: 1 })
  t.match(await cli('customer', 'data', 'home-1'), { servicePoint: { name: 'home-1' }, enrolments: [{ state: 'active' }], resources: [{ name: 'b' }], readings: [{ Wh: 100 }] })
  t.equal(await code('customer', 'erase', 'home-1', '--reason', 'asked for'), exitCode.usage, 'not without being asked')
  t.match(await cli('baseline', 'compare', '--program', 'peak', '--method', 'CAISO_10IN10', '--method', 'UK_MID8OF10', '--day', '2026-07-08', '--from-hour', '16', '--to-hour', '18'), [{ method: 'CAISO_10IN10', rrmse: null, eligible: false }, { method: 'UK_MID8OF10' }])
  t.equal(await code('dispute', 'comment', 'nobody', '--text', 'x'), exitCode.notFound)
  t.match(await cli('audit', 'verify'), { verified: true })
  t.match(await cli('settlement', 'run', '--program', 'peak', '--from', '2026-07-01', '--to', '2026-08-01'), { state: 'calculated', revenue: '0.00' })
  t.match(await cli('customer', 'erase', 'home-1', '--reason', 'asked for', '--yes'), { readings: 1 })
  t.match((await run(['program', 'list', '--url', url, '--token', token])).out, /peak/)
  t.equal(((await run(['program', 'list', '--url', url, '--token', 'nonsense'])).error as CliExit).code, exitCode.notAuthenticated)
  t.equal(((await run(['program', 'list', '--url', 'http://127.0.0.1:1', '--token', token])).error as CliExit).code, exitCode.unreachable)
})
