import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '#core/package-root.js'
import { systemClock } from '#core/port/clock.js'
import { testVtn } from '#vtn/test-vtn.js'

/** `loadstone ven …` as processes, as a person at a shell has them, against our own VTN on both revisions. */
const folder = mkdtempSync(join(tmpdir(), 'ven-process-')), program = join(packageRoot(), 'build', 'cli', 'loadstone.js')
const v = await testVtn({}, { clock: systemClock })
await v.app.listen({ host: '127.0.0.1', port: 0 })
const door = `http://127.0.0.1:${(v.app.server.address() as AddressInfo).port}`
t.teardown(async () => { await v.close(); rmSync(folder, { recursive: true, force: true }) })
const secret = join(folder, 'secret.txt')
writeFileSync(secret, '999\n')
const { id: programID } = (await v.call('POST', '/programs', 'bl_client', { programName: 'by hand' })).json()
const event = async (more: object = {}): Promise<{ id: string }> => (await v.call('POST', '/events', 'bl_client', {
  programID, eventName: 'now', intervalPeriod: { start: '0001-01-01T00:00:00Z', duration: 'PT4H' }, intervals: [{ id: 5, payloads: [{ type: 'SIMPLE', values: [2] }] }], ...more,
})).json()

interface Running { readonly child: ChildProcess; out: string; err: string; readonly done: Promise<number | null> }
function ven(verb: string, base: string, ...args: string[]): Running {
  const { NODE_OPTIONS: _, LOADSTONE_VEN_SECRET: __, ...env } = process.env
  const child = spawn(process.execPath, [program, 'ven', verb, '--url', `${door}/openadr3/${base}`, '--client-id', 'ven_client', '--client-secret-file', secret, ...args], { cwd: folder, env })
  const running: Running = { child, out: '', err: '', done: once(child, 'close').then(([code]) => code as number | null) }
  child.stdout.on('data', (d: Buffer) => { running.out += String(d) })
  child.stderr.on('data', (d: Buffer) => { running.err += String(d) })
  t.teardown(() => child.kill('SIGKILL'))
  return running
}
const lines = (text: string): Record<string, unknown>[] => text.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line))
async function until(running: Running, said: RegExp): Promise<void> {
  for (let i = 0; i < 4000 && !said.test(running.out); i++) await new Promise((done) => { setTimeout(done, 10) })
  if (!said.test(running.out)) throw new Error(`never ${said.source}: ${running.out}${running.err}`)
}

for (const base of ['3.1.1', '3.0.1']) {
  t.test(`UX-031 OA-202 OA-203 OA-205 ven run ${base}: registers, obeys at once, hears of the end, leaves at Ctrl-C with 0`, async (t) => {
    const made = await event(), run = ven('run', base, '--name', `house ${base}`, '--device', 'thermostat', '--poll', '0.2', '--queue', 'queue', '--json')
    await until(run, /"order":\[\{/)
    await v.call('DELETE', `/events/${made.id}`)
    await until(run, /"order":\[\]/)
    const asked = systemClock.nowMs()
    run.child.kill('SIGINT')
    t.equal(await run.done, 0, run.err)
    t.ok(systemClock.nowMs() - asked < 20_000, 'at once, not when the last timer has run out')
    t.match(lines(run.out), [{ registered: String, venName: `house ${base}` }, { event: made.id, change: 'added' }, { order: [{ type: 'SIMPLE', values: [2] }] }, { event: made.id, change: 'removed' }, { order: [] }])
    t.match(readdirSync(folder), ['queue', 'secret.txt'])
    const [mine] = (await v.call('GET', '/vens', 'ven_client')).json()
    t.equal(mine.venName, `house ${base}`)
    t.same((await v.call('GET', '/resources', 'ven_client')).json().map((r: { resourceName: string }) => r.resourceName), ['thermostat-1'])
    await v.call('DELETE', `/vens/${mine.id}`)
  })

  t.test(`UX-010 UX-011 OA-207 ven events and report ${base}: one document on stdout, nothing else there`, async (t) => {
    const made = await event({ intervalPeriod: { start: new Date(systemClock.nowMs() - 60_000).toISOString(), duration: 'P9999Y' } })
    const list = ven('events', base, '--program', programID, '--json')
    t.same([await list.done, list.err.includes('not verified')], [0, true], list.err)
    t.match(JSON.parse(list.out), [{ id: made.id, state: 'active', end: null, types: ['SIMPLE'] }])
    const report = ven('report', base, '--event', made.id, '--resource', 'meter', '--value', '12.50', '--interval', '5', '--start', '2026-06-01T12:00:00Z', '--json')
    t.equal(await report.done, 0, report.err)
    t.match(JSON.parse(report.out), { eventID: made.id, clientName: 'ven_client', resources: [{ resourceName: 'meter', intervals: [{ id: 5, payloads: [{ type: 'USAGE', values: [12.5] }] }] }] })
    const follow = ven('events', base, '--follow', '--json')
    await until(follow, /"added"/)
    follow.child.kill('SIGTERM')
    t.equal(await follow.done, 0, follow.err)
    t.match(lines(follow.out), [{ change: 'added', id: made.id }])
    await v.call('DELETE', `/events/${made.id}`)
  })
}

t.test('UX-012 what goes wrong is one sentence on stderr, an exit code, and nothing on stdout', async (t) => {
  writeFileSync(join(folder, 'wrong.txt'), 'wrong')
  const table: [string, Running, number, RegExp][] = [
    ['unknown revision', ven('events', '3.1.1', '--revision', '2.0'), 2, /3\.1\.1 or 3\.0\.1/], ['wrong secret', ven('events', '3.1.1', '--client-secret-file', 'wrong.txt'), 4, /refused client 'ven_client'/],
    ['wrong secret on 3.0.1', ven('events', '3.0.1', '--client-secret-file', 'wrong.txt'), 4, /refused client 'ven_client'/], ['no such event', ven('report', '3.1.1', '--event', 'nobody', '--resource', 'r', '--value', '1'), 6, /no event nobody/],
    ['no VTN there', ven('events', '9.9', '--revision', '3.0.1'), 5, /404/],
  ]
  for (const [what, run, code, said] of table) {
    t.equal(await run.done, code, what)
    t.match(run.err, said, what)
    t.equal(run.out, '', what)
    t.notMatch(run.err, /at .*\.js:\d+/, `${what}: no stack`)
  }
})
