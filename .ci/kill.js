// The kill test (REL-001, REL-002): the main job's server is killed again and again while an order is being sent, obeyed and measured, and
// started again on the same data. The story must end with every check held, no instruction may have been given in two forms, no
// acknowledged reading may be lost. Usage: node .ci/kill.js [--db URL] [--devices N]; exit 0 or 1, one line of JSON on stdout.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const flag = (name, fallback) => { const at = process.argv.indexOf(name); return at < 0 ? fallback : process.argv[at + 1] }
const db = flag('--db'), devices = flag('--devices', '20'), rate = flag('--rate', '90'), base = flag('--ports', process.env.LOADSTONE_PORT_BASE ?? '27300')
const work = mkdtempSync(join(tmpdir(), 'loadstone-kill-')), data = join(work, 'data')
const pause = (ms) => new Promise((done) => { setTimeout(done, ms) })
const say = (text) => process.stderr.write(`kill test: ${text}\n`)
const wrong = []
const must = (ok, text) => { say(`${ok ? 'ok' : 'NOT OK'}  ${text}`); if (!ok) wrong.push(text) }

function start(...flags) {
  const child = spawn(process.execPath, [join(root, 'build/cli/loadstone.js'), 'up', '--json', '--devices', devices, '--rate', rate, '--data', data, ...(db ? ['--db', db] : []), ...flags], {
    cwd: work, env: { ...process.env, LOADSTONE_PORT_BASE: base }, stdio: ['ignore', 'pipe', 'pipe'],
  })
  const seen = { out: '', err: '', code: undefined }
  child.stdout.on('data', (d) => { seen.out += d })
  child.stderr.on('data', (d) => { seen.err += d })
  const ended = new Promise((done) => { child.once('exit', (code, signal) => { seen.code = code ?? signal; done(seen.code) }) })
  return { child, seen, ended }
}

async function reach(run, what, test, patience_ms = 150_000) {
  for (const until = Date.now() + patience_ms; Date.now() < until;) {
    if (run.seen.code !== undefined) throw new Error(`it ended (${run.seen.code}) before: ${what}\n${run.seen.err.slice(-2000)}`)
    if (await test()) return
    await pause(30)
  }
  throw new Error(`it never came to: ${what}\n${run.seen.err.slice(-2000)}`)
}

const clock = () => { try { return Number(readFileSync(join(data, 'story.json.clock'), 'utf8')) } catch { return 0 } }
const plan = () => JSON.parse(readFileSync(join(data, 'story.json'), 'utf8')).plan
const share = (of) => { const p = plan(); return clock() >= (p.start + of * (p.end - p.start)) * 1000 }

/** What is stored, asked of the database itself: it outlives the server. */
async function stored() {
  const client = new Client({ connectionString: db ?? `postgresql://app@localhost/loadstone?host=${encodeURIComponent(join(realpathSync(join(data, 'database')), 'run'))}` })
  await client.connect()
  try {
    const rows = async (sql) => (await client.query(sql)).rows
    return {
      readings: new Map((await rows('select point, channel, start, minutes, wh from reading')).map((r) => [`${r.point} ${r.channel} ${r.start} ${r.minutes}`, r.wh])),
      orders: new Map((await rows('select id, "order" from delivery')).map((r) => [r.id, JSON.stringify(r.order)])),
      instructions: (await rows(`select kind, id, body from document where kind in ('vtn/event', 'csip/DERControl', 'csms/ChargingProfile')`)).map(instruction),
      dispatches: (await rows('select id from dispatch')).length,
    }
  } finally {
    await client.end()
  }
}

/** What a device was told, apart from how far it has come. */
function instruction({ kind, id, body }) {
  if (kind === 'vtn/event') return { delivery: id, key: `${kind} ${id}`, form: JSON.stringify([body.targets, body.intervalPeriod, body.intervals]) }
  if (kind === 'csip/DERControl') return { delivery: body.delivery?.id, key: `${kind} ${id}`, form: JSON.stringify([body.mRID, body.interval, body.DERControlBase]) }
  const { chargingProfilePurpose, transactionId, chargingSchedule } = body.profile
  // OCPP may ask for one profile of each purpose (K02, K03): each of them must say the same for ever
  return { delivery: body.delivery && `${body.delivery} ${chargingProfilePurpose} ${transactionId ?? ''}`, key: `${kind} ${id}`, profile: body.profile, refused: body.state === 'rejected', form: JSON.stringify(chargingSchedule.map(({ id: _, ...s }) => s)) }
}

function compare(before, after, when) {
  const lost = [...before.readings].filter(([key, wh]) => after.readings.get(key) !== wh)
  must(lost.length === 0, `${when}: ${before.readings.size} acknowledged readings are all there${lost.length ? `; not: ${lost.slice(0, 3).join(' | ')}` : ''}`)
  const changed = [...before.orders].filter(([id, order]) => after.orders.get(id) !== order)
  must(changed.length === 0, `${when}: ${before.orders.size} orders to devices are as they were`)
  const forms = new Map(after.instructions.map((i) => [i.key, i.form]))
  const other = before.instructions.filter((i) => forms.get(i.key) !== i.form)
  must(other.length === 0, `${when}: ${before.instructions.length} instructions are as they were${other.length ? `; not: ${other.slice(0, 2).map((i) => `${i.key} ${i.form} / ${forms.get(i.key)}`).join(' | ')}` : ''}`)
}

async function killAt(run, what, test) {
  await reach(run, what, test)
  process.kill(run.child.pid, 'SIGKILL')
  await run.ended
  say(`killed: ${what}`)
  await pause(700)
  return stored()
}

/** At the end each delivery has been told once, and the chargers hold what the server says they hold. */
function once(last) {
  const told = Map.groupBy ? Map.groupBy(last.instructions, (i) => i.delivery) : last.instructions.reduce((m, i) => m.set(i.delivery, [...(m.get(i.delivery) ?? []), i]), new Map())
  // a charger that refuses one form is asked in the next one (OCPP-228): that is no second order
  const twice = [...told].filter(([delivery, forms]) => delivery && new Set(forms.filter((f) => !f.refused).map((f) => f.form)).size > 1)
  must(twice.length === 0, `each of ${told.size} deliveries was told in one form${twice.length ? `; not ${JSON.stringify(twice[0])}` : ''}`)
  must(last.dispatches === 1, `one dispatch, not ${last.dispatches}`)
  const book = JSON.parse(readFileSync(join(data, 'demo', 'fleet.json'), 'utf8'))
  const ours = new Set(last.instructions.filter((i) => i.profile).map((i) => JSON.stringify(i.profile)))
  const held = Object.values(book.memories).flatMap((m) => m.kept?.installed ?? []).map((i) => i.profile).filter((p) => p.chargingProfilePurpose !== 'ChargingStationMaxProfile')
  const unknown = held.filter((p) => !ours.has(JSON.stringify(p)) && last.instructions.some((i) => i.key.endsWith(`/${p.id}`)))
  must(unknown.length === 0, `${held.length} profiles in the chargers are those of the ledger`)
}

try {
  let run = start('--fresh')
  const first = await killAt(run, 'the order has just been acknowledged', () => run.seen.err.includes('split: '))
  run = start('--keep')
  const second = await killAt(run, 'an hour before the end', () => share(0.5))
  compare(first, second, 'second kill')
  run = start('--keep')
  const third = await killAt(run, 'in the last quarter of an hour', () => share(0.9))
  compare(second, third, 'third kill')
  const begun = Date.now()
  run = start('--keep')
  await reach(run, 'the result', () => run.seen.out.trim().endsWith('}'))
  say(`finished ${Math.round((Date.now() - begun) / 1000)} s after the last start`)
  const last = await stored()
  const document = JSON.parse(run.seen.out.trim().split('\n').at(-1))
  compare(third, last, 'the end')
  once(last)
  for (const c of document.checks) must(c.ok, `${c.name}: ${c.detail}`)
  const stopped = Date.now()
  process.kill(run.child.pid, 'SIGTERM')
  must((await run.ended) === 0 && Date.now() - stopped < 10_000, `SIGTERM ends it in ${Date.now() - stopped} ms with ${run.seen.code}`)
  const left = existsSync(join(data, 'database')) ? existsSync(join(realpathSync(join(data, 'database')), 'data', 'postmaster.pid')) : false
  must(!left, 'the embedded database is stopped too')
} catch (error) {
  must(false, String(error.message ?? error))
} finally {
  const kept = process.argv.includes('--keep-data')
  if (kept) say(`data in ${work}`)
  else {
    const { removeEmbedded } = await import(join(root, 'build/prisma/embedded.js'))
    if (existsSync(join(data, 'database'))) await removeEmbedded(data).catch(() => undefined)
    rmSync(work, { recursive: true, force: true })
  }
}
process.stdout.write(`${JSON.stringify({ name: 'kill test', ok: wrong.length === 0, wrong })}\n`)
process.exit(wrong.length === 0 ? 0 : 1)
