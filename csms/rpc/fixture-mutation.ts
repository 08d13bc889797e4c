import { actions } from '#csms/wire/action.js'
import { schemasOf } from './schema.js'
import type { Version } from './version.js'

/** A small seeded generator (mulberry32), so that a failing run can be repeated. */
export function checkedRandom(seed: number): () => number {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let x = Math.imul(a ^ (a >>> 15), 1 | a)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296
  }
}

interface Schema {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly $ref?: string
  readonly format?: string
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minItems?: number
  readonly definitions?: Readonly<Record<string, Schema>>
}

/** A valid value of a schema; optional members by the die. */
export function valid(schema: Schema, root: Schema, random: () => number, depth = 0): unknown {
  if (schema.$ref) return valid(root.definitions?.[schema.$ref.replace('#/definitions/', '')] as Schema, root, random, depth)
  if (schema.enum) return schema.enum[Math.floor(random() * schema.enum.length)]
  switch (schema.type) {
    case 'object': return Object.fromEntries(Object.entries(schema.properties ?? {})
      .filter(([name]) => schema.required?.includes(name) || (depth < 3 && name !== 'customData' && random() < 0.4))
      .map(([name, s]) => [name, valid(s, root, random, depth + 1)]))
    case 'array': return Array.from({ length: Math.max(1, schema.minItems ?? 1) }, () => valid(schema.items as Schema, root, random, depth + 1))
    case 'integer': return Math.max(schema.minimum ?? 0, Math.min(schema.maximum ?? 9, Math.floor(random() * 5)))
    case 'number': return Math.max(schema.minimum ?? 0, Math.min(schema.maximum ?? 100, Math.floor(random() * 1000) / 10))
    case 'boolean': return random() < 0.5
    default: return schema.format === 'date-time' ? '2026-01-01T00:00:00Z' : 'abc'.slice(0, schema.maxLength ?? 3)
  }
}

const odd: readonly unknown[] = [null, true, -1, 1e308, 'x'.repeat(3000), '', [], {}, { __proto__: 1, constructor: 2 }, [[[[]]]], '2026-02-31T00:00:00Z', '\u0000', 'É'.repeat(40)]

function mutate(value: unknown, random: () => number): unknown {
  if (random() < 0.15) return odd[Math.floor(random() * odd.length)]
  if (Array.isArray(value)) return random() < 0.2 ? [] : value.map((v) => mutate(v, random))
  if (value !== null && typeof value === 'object') {
    const out: Record<string, unknown> = {}
    for (const [k, v] of Object.entries(value)) if (random() > 0.1) out[k] = mutate(v, random)
    if (random() < 0.1) out[['extra', '__proto__', 'constructor', 'customData'][Math.floor(random() * 4)] as string] = odd[Math.floor(random() * odd.length)]
    return out
  }
  return value
}

/** Frames of every action, sound and broken; the id that the station must hear back, if the frame has one. */
export function* mutations(random: () => number, n: number, version: Version): Generator<{ text: string; id?: string }> {
  const schemas = schemasOf(version)
  // A SEND of 2.1 is never answered.
  const names = actions.filter((a) => a.in.includes(version) && a.name !== 'NotifyPeriodicEventStream').map((a) => a.name)
  for (let i = 0; i < n; i += 1) {
    const action = names[Math.floor(random() * names.length)] as string
    const root = schemas.schema(action, 'request') as Schema
    const payload = mutate(valid(root, root, random), random)
    const die = random()
    if (die < 0.9) yield { text: JSON.stringify([2, `m${i}`, action, payload]), id: `m${i}` }
    else if (die < 0.93) yield { text: JSON.stringify([2, `m${i}`, action, payload]).slice(0, -1 - Math.floor(random() * 10)) }
    // OCPP-056: 1.6 and 2.1 ignore such a frame.
    else if (die < 0.95) yield { text: JSON.stringify([Math.floor(random() * 3) + 7, `m${i}`, action, payload]), ...(version === '2.0.1' ? { id: `m${i}` } : {}) }
    else if (die < 0.97) yield { text: JSON.stringify([3, `m${i}`, payload]) }
    else yield { text: JSON.stringify(mutate([2, `m${i}`, action, payload], () => random() * 0.5)) }
  }
}
