import type { TSchema } from 'typebox'

type Node = TSchema & {
  type?: string | string[]; properties?: Record<string, Node>; required?: string[]; items?: Node; anyOf?: Node[]; oneOf?: Node[]; allOf?: Node[]
  const?: unknown; enum?: unknown[]; minimum?: number; maximum?: number; minLength?: number; maxLength?: number; pattern?: string; format?: string
  minItems?: number; maxItems?: number; $ref?: string; definitions?: Record<string, Node>; $defs?: Record<string, Node>; xml?: { lexical?: string; substitutes?: Record<string, Node> }
  default?: unknown
}

export interface SampleOptions {
  /** Same seed, same value. */
  readonly seed?: number
  /** With every optional member, or with the required ones only. */
  readonly optional?: boolean
}

/** A small reproducible generator (mulberry32); samples are test data, not secrets. */
function generator(seed: number): () => number {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** A valid value of a description or of any JSON Schema of the kinds that the standards use. */
export function sample(schema: TSchema, options: SampleOptions = {}): unknown {
  const next = generator(options.seed ?? 1)
  return make(schema as Node, schema as Node, next, options.optional ?? false, 0)
}

function make(node: Node, root: Node, next: () => number, optional: boolean, depth: number): unknown {
  if (node.$ref) return make(resolve(node.$ref, root), root, next, optional, depth)
  if (node.const !== undefined) return node.const
  if (node.enum) return node.enum[Math.floor(next() * node.enum.length)]
  if (node.xml?.substitutes && !node.properties) {
    const [type, target] = Object.entries(node.xml.substitutes)[0] as [string, Node]
    return { type, ...(make(target, root, next, optional, depth + 1) as object) }
  }
  const choice = node.anyOf ?? node.oneOf
  if (choice) return make(choice[Math.floor(next() * choice.length)] as Node, root, next, optional, depth)
  if (node.allOf) return Object.assign({}, ...node.allOf.map((part) => make(part, root, next, optional, depth)))
  const type = Array.isArray(node.type) ? node.type[0] : node.type
  if (type === 'object' || node.properties) return object(node, root, next, optional, depth)
  if (type === 'array') {
    const count = Math.max(node.minItems ?? 0, Math.min(node.maxItems ?? 2, optional ? 2 : 1))
    return Array.from({ length: count }, () => make(node.items ?? ({} as Node), root, next, optional, depth + 1))
  }
  return scalar(node, type, next)
}

function object(node: Node, root: Node, next: () => number, optional: boolean, depth: number): unknown {
  const out: Record<string, unknown> = {}
  for (const [member, field] of Object.entries(node.properties ?? {})) {
    const needed = node.required?.includes(member) ?? false
    if (needed || (optional && depth < 6)) out[member] = make(field, root, next, optional, depth + 1)
  }
  return out
}

function resolve(ref: string, root: Node): Node {
  let at: unknown = root
  for (const part of ref.replace(/^#\//, '').split('/')) at = (at as Record<string, unknown>)[part]
  return at as Node
}

function scalar(node: Node, type: string | undefined, next: () => number): unknown {
  if (type === 'boolean') return next() < 0.5
  if (type === 'integer' || type === 'number') {
    const low = node.minimum ?? 0, high = Math.min(node.maximum ?? low + 100, low + 1000)
    const value = low + next() * (high - low)
    return type === 'integer' ? Math.round(value) : Math.round(value * 100) / 100
  }
  if (type === 'null') return null
  return string(node, next)
}

function string(node: Node, next: () => number): string {
  if (node.xml?.lexical === 'hex') {
    const bytes = Number(/\{(?:\d+,)?(\d+)\}\$$/.exec(node.pattern ?? '')?.[1] ?? 2)
    return Array.from({ length: bytes }, () => Math.floor(next() * 256).toString(16).padStart(2, '0')).join('').toUpperCase()
  }
  if (node.format === 'date-time') return new Date(1_750_000_000_000 + Math.floor(next() * 1e9) * 1000).toISOString()
  if (node.format === 'iso-duration') return `PT${1 + Math.floor(next() * 59)}M`
  if (node.format === 'uri') return `https://example.com/${Math.floor(next() * 1e6)}`
  const length = Math.max(node.minLength ?? 0, Math.min(node.maxLength ?? 12, 12))
  return Array.from({ length }, () => 'abcdefghijklmnopqrstuvwxyz'[Math.floor(next() * 26)]).join('')
}
