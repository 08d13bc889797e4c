import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import t from 'tap'
import { apiNouns } from '#cli/api-verbs.js'
import { registerCert } from '#cli/cert.js'
import { CliExit, exitCode } from '#cli/exit-code.js'
import { registerOperator } from '#cli/operator.js'
import { run } from '#cli/test-run.js'
import { assemble } from '#core/assemble.js'
import { system } from '#core/caller.js'
import { buildOperator } from '#core/operator/door.js'
import { handClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { createToken } from '#core/token/token.js'
import { testDatabase } from '#prisma/test-database.js'

t.setTimeout(240_000)

/** Routes whose verbs do more than a call, and the verb. */
const byHand: Readonly<Record<string, string>> = {
  'GET programs': 'program list', 'GET programs/:id': 'program show', 'POST programs': 'program create', 'PATCH programs/:id': 'program change',
  'GET service-points': 'service-point list', 'GET service-points/:id': 'service-point show', 'POST service-points': 'service-point create', 'PATCH service-points/:id': 'service-point change', 'POST service-points/:id/erase': 'customer erase',
  'GET resources': 'resource list', 'GET resources/:id': 'resource show', 'POST resources': 'resource create', 'PATCH resources/:id': 'resource change',
  'GET enrolments': 'enrolment list', 'GET enrolments/:id': 'enrolment show', 'POST enrolments': 'enrolment create', 'POST enrolments/:id/transitions': 'enrolment move', 'POST enrolments/bulk': 'enrolment bulk', 'POST enrolments/:id/withdraw-consent': 'enrolment withdraw-consent',
  'GET dispatches': 'dispatch list', 'GET dispatches/:id': 'dispatch show', 'POST dispatches': 'dispatch create', 'POST dispatches/:id/cancel': 'dispatch cancel', 'POST dispatches/:id/release': 'dispatch release', 'GET dispatches/:id/deliveries': 'dispatch deliveries', 'GET dispatches/:id/performance': 'dispatch performance',
  'GET readings': 'readings list', 'POST readings': 'readings import', 'GET exports/readings': 'readings export', 'POST aggregates': 'readings aggregate',
  'GET baselines': 'baseline methods', 'POST baselines/backtest': 'baseline backtest', 'POST baselines/compute': 'baseline compute',
  'GET settlement-runs': 'settlement list', 'GET settlement-runs/:id': 'settlement show', 'POST settlement-runs': 'settlement run', 'POST settlement-runs/:id/approve': 'settlement approve', 'POST settlement-runs/:id/issue': 'settlement issue', 'GET statements': 'settlement statements', 'GET lineage': 'settlement lineage', 'GET ledger/trial-balance': 'settlement ledger',
  'GET disputes': 'dispute list', 'GET disputes/:id': 'dispute show', 'POST disputes': 'dispute open', 'POST disputes/:id/comments': 'dispute comment', 'POST disputes/:id/transitions': 'dispute move',
  'GET stop': 'stop', 'POST stop': 'stop', 'POST stop/:id/lift': 'stop', 'GET audit': 'audit list', 'GET audit/verify': 'audit verify', 'GET tokens': 'token list', 'POST tokens': 'token create', 'DELETE tokens/:id': 'token revoke',
  'GET webhooks': 'webhook list', 'POST webhooks': 'webhook create', 'PATCH webhooks/:id': 'webhook disable', 'GET webhooks/:id/deliveries': 'webhook deliveries', 'POST webhooks/:id/deliveries/:delivery/resend': 'webhook resend', 'POST webhooks/:id/resend': 'webhook resend-range', 'POST webhooks/:id/test': 'webhook test',
}
/** Routes that a command line has no use for, and why. */
const none: readonly (readonly [RegExp, string])[] = [
  [/^\w+ sessions?\b/, 'cookies of the console'], [/^\w+ setup\b/, 'the first person is made in the browser'], [/^\w+ passkeys?\b|^\w+ users\/:id\/passkeys/, 'passkeys are made in a browser'], [/^GET live$/, 'server-sent events of the console'],
  [/^PUT /, 'the same as PATCH'],
]

t.test('UX-010, UX-011 every route of the operator API has a verb, and every list prints one document', async (t) => {
  const { database, close } = await testDatabase(), clock = handClock(Date.UTC(2026, 6, 15, 18))
  const core = assemble({ database, clock, ids: randomIds(clock.nowMs), log: silent }), app = await buildOperator({ core, log: silent, version: '0' }), url = await app.listen({ port: 0, host: '127.0.0.1' })
  core.connect({ openadr: { protocol: 'openadr', send: async () => [], cancel: async () => [] } })
  const { token } = await core.transact((w) => createToken(w, system('default'), { role: 'admin', user: 'ada' }))
  t.teardown(async () => {
    await app.close()
    await close()
  })
  const cli = async (...args: string[]): Promise<any> => {
    const { out, error } = await run([...args, '--url', url, '--token', token, '--json'])
    if (error) throw new Error(`${args.join(' ')}: ${String(error)}`)
    return JSON.parse(out)
  }
  const code = async (...args: string[]): Promise<unknown> => ((await run([...args, '--url', url, '--token', token])).error as CliExit | undefined)?.code

  const { paths } = (await app.inject({ method: 'GET', url: '/openapi.json', headers: { authorization: `Bearer ${token}` } })).json() as { paths: Record<string, Record<string, unknown>> }
  const routes = Object.entries(paths).flatMap(([path, methods]) => (path.startsWith('/api/v1/') ? Object.keys(methods).map((m) => `${m.toUpperCase()} ${path.slice('/api/v1/'.length).replaceAll(/\{(\w+)\}/g, ':$1')}`) : []))
  t.ok(routes.length > 100, `${routes.length} routes`)
  const inTable = new Map(apiNouns.flatMap((n) => n.verbs.map((v) => [v.route as string, `${n.noun} ${v.verb}`])))
  t.same(routes.filter((r) => !inTable.has(r) && byHand[r] === undefined && !none.some(([which]) => which.test(r))), [], 'routes without a verb')
  t.same([...inTable.keys(), ...Object.keys(byHand)].filter((r) => !routes.includes(r)), [], 'verbs without a route')
  const program = new Command('loadstone')
  registerOperator(program)
  registerCert(program)
  t.same([...inTable.values(), ...Object.values(byHand)].filter((words) => {
    const [noun, verb] = words.split(' '), found = program.commands.find((c) => c.name() === noun)
    return found === undefined || (verb !== undefined && !found.commands.some((c) => c.name() === verb))
  }), [], 'verbs that are not there')

  for (const n of apiNouns) for (const v of n.verbs) if (v.columns && !v.route.includes(':') && n.noun !== 'availability') t.ok(Array.isArray(await cli(n.noun, v.verb)), `${n.noun} ${v.verb}`)
  await cli('program', 'create', '--set', 'name=peak', '--set', 'timeZone=UTC', '--set', 'direction=down', '--set', 'intervalMinutes=15', '--set', 'baseline={"method":"NOMINATED","level":"portfolio"}', '--set', 'currency=USD', '--set', 'customerShare="0.7"')
  await cli('service-point', 'create', '--set', 'name=home-1')
  await cli('resource', 'create', '--set', 'name=b', '--set', 'servicePoint=home-1', '--set', 'kind=battery', '--set', 'rated_kW=5', '--set', 'bindings=[{"protocol":"openadr","remoteId":"v"}]')
  t.match(await cli('aggregation', 'create', '--set', 'name=F1', '--set', 'hierarchy=grid', '--set', 'cap_kW=40', '--set', 'members=["b"]'), { name: 'F1' })
  t.match(await cli('aggregation', 'change', 'F1', '--set', 'cap_kW=30'), { cap_kW: 30 })
  t.match(await cli('program', 'versions', 'peak'), [{ programVersion: 1 }])
  const given = await cli('prognosis', 'give', '--set', 'program=peak', '--set', 'servicePoint=home-1', '--set', 'start=2026-07-16T16:00:00Z', '--set', 'kW=[3,2]')
  t.match(await cli('prognosis', 'list', '--program', 'peak', '--service-point', 'home-1'), [{ id: given.id, kW: [3, 2] }])
  t.match(await cli('prognosis', 'show', given.id), { id: given.id })
  t.match(await cli('baseline', 'compute', '--set', 'program=peak', '--set', 'servicePoint=home-1', '--set', 'start=2026-07-16T16:00:00Z', '--set', 'duration=PT30M'), { method: 'NOMINATED' })
  const out = await cli('opt-out', 'create', '--set', 'resource=b', '--set', 'reason=holiday')
  t.match(await cli('opt-out', 'list'), [{ id: out.id }])
  await cli('opt-out', 'end', out.id)
  await cli('availability', 'declare', '--set', 'availability=[{"resource":"b","start":"2026-07-16T00:00:00Z","end":"2026-07-17T00:00:00Z","down_kW":4,"up_kW":0,"expected_W":4000}]')
  t.match(await cli('availability', 'list', '--resource', 'b'), [{ down_W: 4000 }])
  const nomination = await cli('nomination', 'offer', '--set', 'program=peak', '--set', 'aggregation=F1', '--set', 'power_kW=4', '--set', 'start=2026-07-16T16:00:00Z', '--set', 'end=2026-07-16T18:00:00Z')
  t.match(await cli('nomination', 'move', nomination.id, '--set', 'to=accepted'), { state: 'accepted' })
  t.equal(typeof await cli('kpi', 'show', '--program', 'peak'), 'object')
  t.match(await cli('user', 'me'), { user: 'ada' })
  t.match(await cli('audit', 'show', '1'), { seq: 1 })
  const note = await cli('device', 'note', 'b', '--set', 'text=call first')
  t.match(await cli('device', 'notes', 'b'), [{ text: 'call first' }], String(note.id))
  t.equal(await code('flex', 'order', '--set', 'offer=nobody'), exitCode.usage, 'what moves devices asks first')
  t.equal(await code('flex', 'order', '--set', 'offer=nobody', '--yes'), exitCode.notFound)
  t.equal(await code('prognosis', 'show', 'nobody'), exitCode.notFound)
  t.equal(await code('aggregation', 'change', 'F1', '--set', 'cap_kW=1', '--if-version', '1'), exitCode.refused)
  const folder = mkdtempSync(join(tmpdir(), 'loadstone-verbs-')), path = join(folder, 'meters.parquet')
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'm.csv'), 'servicePoint,start,minutes,Wh\nhome-1,2026-07-14T00:00:00Z,15,100\nhome-1,2026-07-14T00:15:00Z,15,200\n')
  t.match(await cli('readings', 'import', join(folder, 'm.csv')), { accepted: 2 })
  const { bytes } = await run(['readings', 'export', '--format', 'parquet', '--url', url, '--token', token])
  writeFileSync(path, bytes)
  t.match(await cli('readings', 'import', path), { accepted: 0, duplicates: 2 }, 'UX-060 Parquet out and in, byte for byte')
  const { out: text } = await run(['aggregation', 'list', '--url', url, '--token', token])
  t.match(text, /^id +name +hierarchy/m, 'a table for people')
})
