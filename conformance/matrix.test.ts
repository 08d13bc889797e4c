import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keptResults, matrixRows, testsByNumber } from '#conformance/matrix.js'
import { procedures } from '#conformance/registry.js'
import { readmeOf, statusTable, withStatus } from '#conformance/status.js'
import { notObservable, requirements } from '#conformance/requirements.js'
import { packageRoot } from '#core/package-root.js'

const root = packageRoot(import.meta.url)
const rows = matrixRows(keptResults(root), testsByNumber(root))

t.test('UX-035 every requirement of level M or P has a procedure or a reason why none can see it', async (t) => {
  const due = rows.filter((r) => r.level === 'M' || r.level === 'P')
  t.same(due.filter((r) => r.result === 'open').map((r) => r.id), [], 'none is open')
  const covered = new Set(Object.values(procedures).flat().flatMap((p) => p.requirements))
  t.same([...notObservable.keys()].filter((id) => covered.has(id)), [], 'what a procedure covers is not called unobservable')
  const known = new Set(requirements.map((r) => r.id))
  t.same([...covered].filter((id) => !known.has(id)), [], 'procedures cite requirements that exist')
})

t.test('UX-035 matrix.md is not stale: its procedures and verdicts are those of today', async (t) => {
  const page = readFileSync(join(root, 'conformance/matrix.md'), 'utf8')
  const stale = rows.filter((r) => { const line = page.split('\n').find((l) => l.startsWith(`| ${r.id} |`)); return !line || !line.endsWith(` ${r.result} |`) || !r.procedures.slice(0, 3).every((p) => line.includes(`\`${p}\``)) })
  t.same(stale.map((r) => r.id), [], 'write it again with `node build/conformance/matrix-write.js`')
})

t.test('UX-035 matrix.md names no test that is gone or no longer carries the number', async (t) => {
  const now = new Map(rows.map((r) => [r.id, r.tests]))
  const page = readFileSync(join(root, 'conformance/matrix.md'), 'utf8').split('\n').flatMap((line) => { const [, id, , , tests = ''] = line.split('|').map((cell) => cell.trim()); return id && now.has(id) ? [[id, [...tests.matchAll(/`([^`]+)`/g)].map(([, file]) => String(file))] as const] : [] })
  t.equal(page.length, rows.length, 'a row for each')
  t.same(page.flatMap(([id, named]) => named.filter((file) => !now.get(id)?.includes(file)).map((file) => `${id}: ${file}`)), [], 'write it again with `node build/conformance/matrix-write.js`')
})

t.test('UX-035 the README says what the kept runs say', async (t) => {
  t.equal(readmeOf(root), withStatus(readmeOf(root), statusTable(procedures, keptResults(root))), 'write it again with `node build/conformance/matrix-write.js`')
})

t.test('UX-035 the numbers are those of the requirement lists', { skip: existsSync(join(root, '../shared/protocols')) ? false : 'the lists are not here' }, async (t) => {
  const text = ['openadr3.md', 'ieee2030_5-csip.md', 'ocpp201.md'].map((f) => readFileSync(join(root, '../shared/protocols', f), 'utf8')).join('\n')
  const there = new Set([...text.matchAll(/^\| ((?:OA|SEP|OCPP)-\d{3})\b/gm)].map((m) => m[1]))
  const here = new Set(requirements.map((r) => r.id))
  t.same([...there].filter((id) => !here.has(id as string)), [])
})
