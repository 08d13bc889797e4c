import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Reader } from '#core/calc/read.js'
import { kindOf } from '#core/calc/registry.js'

/** The folder that holds package.json: tsc copies no JSON. */
function root(): string {
  let at = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(at, 'package.json'))) at = dirname(at)
  return at
}

interface Case {
  readonly id: string
  readonly title: string
  readonly kind: string
  readonly input: unknown
  readonly expected: unknown
}

/** kW within 1e-6, all else exactly; members that we add are free, members of the vector are not. */
function differences(found: unknown, expected: unknown, path = ''): string[] {
  if (typeof expected === 'number' && typeof found === 'number') {
    return Number.isInteger(expected) && found === expected || Math.abs(found - expected) <= 1e-6 ? [] : [`${path}: ${found} is not ${expected}`]
  }
  if (expected === null || typeof expected !== 'object') return found === expected ? [] : [`${path}: ${JSON.stringify(found)} is not ${JSON.stringify(expected)}`]
  if (found === null || typeof found !== 'object') return [`${path}: ${JSON.stringify(found)} is not an object`]
  if (Array.isArray(expected) && (!Array.isArray(found) || found.length !== expected.length)) return [`${path}: another length`]
  const own = Object.entries(expected), extra = Object.keys(found).filter((k) => !Object.hasOwn(expected, k))
  return [...own.flatMap(([k, v]) => differences((found as Record<string, unknown>)[k], v, `${path}/${k}`)), ...extra.map((k) => `${path}/${k} is not in the vector`)]
}

/** Which requirement each vector proves. */
const proves: Readonly<Record<string, string>> = {
  baseline: 'CORE-122 CORE-125 CORE-132', accuracy: 'CORE-165', regression: 'CORE-150', 'matching-day': 'CORE-146', mbma: 'CORE-152', mbl: 'CORE-153', mgo: 'CORE-154', 'control-group': 'CORE-155',
  'settlement-reservation': 'CORE-173', 'settlement-flexorder': 'CORE-182', split: 'CORE-183', 'allocate-merit': 'CORE-062', 'allocate-prop': 'CORE-063', oversubscribe: 'CORE-066',
  'avail-ev': 'CORE-031', 'avail-storage': 'CORE-032 CORE-033', units: 'CORE-094 CORE-095 CORE-098', stagger: 'CORE-082', 'k-anonymity': 'CORE-221', 'optout-curve': 'CORE-039', vee: 'CORE-117 CORE-118',
  audit: 'CORE-220 CORE-230', 'floor-level': 'CORE-171', kpi: 'CORE-195',
}

const vectors = JSON.parse(readFileSync(join(root(), 'core/calc/core-dr-vectors.json'), 'utf8')) as { cases: Case[] }

t.equal(vectors.cases.length, 29, 'all 29 worked examples are here')
for (const c of vectors.cases) {
  t.test(`${proves[c.kind]} ${c.id} ${c.title}`, async (t) => {
    const kind = kindOf(c.kind)
    t.ok(kind, `there is a calculation ${c.kind}`)
    t.same(differences(kind!.run(new Reader(c.input)).result, c.expected), [])
  })
}
