import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoryDocument } from '#cli/story/document.js'
import { databaseOf, passed, play, type Play, type PlayOptions } from '#cli/story/kill/play.js'
import { stored, type Stored } from '#cli/story/kill/stored.js'
import { removeEmbedded } from '#prisma/embedded.js'

export interface Finding { readonly ok: boolean; readonly text: string }
type Must = (ok: boolean, text: string) => void

/**
 * The main job's server is killed three times while an order is sent, obeyed and measured, and started again on the same data (REL-001,
 * REL-002, CORE-207). Every finding is told; the story must end with all its checks held.
 */
export async function killedStory(options: Omit<PlayOptions, 'data'>, tell: (finding: Finding) => void): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'loadstone-kill-')), at: PlayOptions = { ...options, data: join(work, 'data') }
  const must: Must = (ok, text) => tell({ ok, text })
  let run: Play | undefined
  try {
    run = play(at, '--fresh')
    const first = await killed(at, run, 'the order has just been acknowledged', (r) => r.err().includes('split: '))
    run = play(at, '--keep')
    const second = await killed(at, run, 'an hour before the end', () => passed(at.data) >= 0.5)
    compare(first, second, 'second kill', must)
    run = play(at, '--keep')
    const third = await killed(at, run, 'in the last quarter of an hour', () => passed(at.data) >= 0.9)
    compare(second, third, 'third kill', must)
    run = play(at, '--keep')
    await run.reach('the result', () => run!.out().trim().endsWith('}'))
    const last = await stored(databaseOf(at)), document = JSON.parse(run.out().trim().split('\n').at(-1) as string) as StoryDocument
    compare(third, last, 'the end', must)
    toldOnce(last, must)
    ledgerIsTrue(last, at.data, must)
    for (const c of document.checks) must(c.ok, `${c.name}: ${c.detail}`)
    await endsCleanly(run, at, must)
  } finally {
    run?.child.kill('SIGKILL')
    if (existsSync(join(at.data, 'database'))) await removeEmbedded(at.data).catch(() => undefined)
    rmSync(work, { recursive: true, force: true })
  }
}

async function killed(at: PlayOptions, run: Play, what: string, test: (run: Play) => boolean): Promise<Stored> {
  await run.reach(what, () => test(run))
  run.child.kill('SIGKILL')
  await run.ended
  return stored(databaseOf(at))
}

/** Nothing acknowledged is lost, nothing that was told has another form. */
function compare(before: Stored, after: Stored, when: string, must: Must): void {
  const lost = [...before.readings].filter(([key, Wh]) => after.readings.get(key) !== Wh)
  must(lost.length === 0, `${when}: ${before.readings.size} acknowledged readings are all there${lost.length ? `; not: ${lost.slice(0, 3).join(' | ')}` : ''}`)
  const changed = [...before.orders].filter(([id, order]) => after.orders.get(id) !== order)
  must(changed.length === 0, `${when}: ${before.orders.size} orders to devices are as they were`)
  const forms = new Map(after.instructions.map((i) => [i.key, i.form]))
  const other = before.instructions.filter((i) => forms.get(i.key) !== i.form)
  must(other.length === 0, `${when}: ${before.instructions.length} instructions are as they were${other.length ? `; not: ${other.slice(0, 2).map((i) => `${i.key} ${i.form} / ${forms.get(i.key)}`).join(' | ')}` : ''}`)
}

/** The charger that is planted to refuse is asked in other forms (OCPP-228), and nobody else ever is. */
const refuser = 'charger-004'

function toldOnce({ instructions, devices, dispatches }: Stored, must: Must): void {
  const told = new Map<string, Set<string>>()
  for (const { delivery, form } of instructions.filter((i) => i.delivery && !(i.refused && devices.get(i.delivery.split(' ')[0] as string) === refuser))) told.set(delivery!, (told.get(delivery!) ?? new Set()).add(form))
  const twice = [...told].filter(([, forms]) => forms.size > 1)
  must(twice.length === 0, `each of ${told.size} deliveries was told in one form${twice.length ? `; not ${twice[0]![0]}: ${[...twice[0]![1]].join(' / ')}` : ''}`)
  must(dispatches === 1, `one dispatch, not ${dispatches}`)
}

/** What the chargers themselves say that they hold is what the ledger says. */
function ledgerIsTrue({ instructions }: Stored, data: string, must: Must): void {
  interface Held { readonly profile: { readonly id: number; readonly chargingProfilePurpose: string } }
  const book = JSON.parse(readFileSync(join(data, 'demo', 'fleet.json'), 'utf8')) as { memories: Record<string, { kept?: { installed?: Held[] } }> }
  const ours = new Set(instructions.filter((i) => i.profile).map((i) => JSON.stringify(i.profile)))
  const held = Object.values(book.memories).flatMap((m) => m.kept?.installed ?? []).map((i) => i.profile).filter((p) => p.chargingProfilePurpose !== 'ChargingStationMaxProfile')
  const unknown = held.filter((p) => !ours.has(JSON.stringify(p)) && instructions.some((i) => i.key.endsWith(`/${p.id}`)))
  must(unknown.length === 0, `${held.length} profiles in the chargers are those of the ledger`)
}

async function endsCleanly(run: Play, { data }: PlayOptions, must: Must): Promise<void> {
  const asked = performance.now()
  run.child.kill('SIGTERM')
  const code = await run.ended, ms = Math.round(performance.now() - asked)
  must(code === 0 && ms < 10_000, `SIGTERM ends it in ${ms} ms with ${code}`)
  must(!existsSync(join(data, 'database')) || !existsSync(join(realpathSync(join(data, 'database')), 'data', 'postmaster.pid')), 'the embedded database is stopped too')
}
