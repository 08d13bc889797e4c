import type { TSchema } from 'typebox'
import type { XmlForm } from '#core/describe/field.js'

/** A JSON Schema as TypeBox makes it, as far as writing needs it. */
type Node = TSchema & { type?: string; properties?: Record<string, Node>; items?: Node; xml?: XmlForm }

const XSI = 'http://www.w3.org/2001/XMLSchema-instance'

export interface WriteOptions {
  /** Default namespace, declared on the root. */
  readonly namespace: string
  /** Further namespaces by prefix, declared on the root when the description uses one. */
  readonly prefixes?: Readonly<Record<string, string>>
}

type Write = (value: never) => string

const escapeText = (s: string): string => /[&<>]/.test(s) ? s.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;') : s
const escapeAttribute = (s: string): string => escapeText(s).replace(/"/g, '&quot;').replace(/[\t\n\r]/g, (c) => `&#${c.charCodeAt(0)};`)
/** Characters that XML 1.0 cannot carry are dropped rather than sent broken. */
// eslint-disable-next-line no-control-regex
const legal = (s: string): string => s.replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '')

// eslint-disable-next-line no-control-regex
const special = /[&<>\u0000-\u001F\uFFFE\uFFFF]/
/** Text as it stands in an element; most needs nothing done to it, and numbers never do. */
const inText = (value: unknown): string => {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const text = String(value)
  return special.test(text) ? escapeText(legal(text)) : text
}

const lexical = (form: XmlForm | undefined) => (value: unknown): string =>
  form?.lexical === 'hex' ? String(value).toUpperCase() : legal(String(value))

/**
 * A writer of one description, compiled once: children come in the order they are described (SEP-024), absent ones are left out.
 * `write(value)` gives the whole document, XML declaration first, no BOM (SEP-023).
 */
export function xmlWriter(name: string, schema: TSchema, options: WriteOptions): (value: unknown) => string {
  const node = schema as Node, prefix = node.xml?.prefix, tag = prefix ? `${prefix}:${name}` : name, used: Used = new Set()
  const { attributes, content } = objectParts(node, used)
  const uris = { ...options.prefixes, xsi: XSI } as Readonly<Record<string, string>>
  return (value) => {
    used.clear()
    if (prefix) used.add(prefix)
    const own = attributes(value as Value), inner = content(value as Value)
    // A prefix is declared when this document uses it: strict readers of the base schema meet no namespace they do not know.
    let spaces = ` xmlns="${options.namespace}"`
    for (const p of used) spaces += ` xmlns:${p}="${uris[p] ?? ''}"`
    const open = `<?xml version="1.0" encoding="UTF-8"?>\n<${tag}${spaces}${own}`
    return inner === '' ? `${open}/>` : `${open}>${inner}</${tag}>`
  }
}

/** Namespace prefixes met since the root's writer began. */
type Used = Set<string>
type Value = Record<string, unknown>

function elementWriter(name: string, node: Node, used: Used): Write {
  const prefix = node.xml?.prefix
  if (!prefix) return plainWriter(name, node, used)
  const write = plainWriter(`${prefix}:${name}`, node, used)
  return (value) => { used.add(prefix); return write(value) }
}

function plainWriter(tag: string, node: Node, used: Used): Write {
  if (node.xml?.substitutes) return substitutingWriter(tag, node, node.xml.substitutes, used)
  if (node.type !== 'object') {
    const open = `<${tag}>`, close = `</${tag}>`
    if (node.xml?.lexical === 'hex') return ((value: unknown) => open + inText(String(value).toUpperCase()) + close) as Write
    return ((value: unknown) => open + inText(value) + close) as Write
  }
  return objectWriter(tag, node, used, '')
}

/** One with children of its own is written as itself where its `type` names no other. */
function substitutingWriter(tag: string, node: Node, substitutes: Readonly<Record<string, TSchema>>, used: Used): Write {
  const writers = new Map(Object.entries(substitutes).map(([type, schema]) => [type, objectWriter(tag, schema as Node, used, ` xsi:type="${type}"`)]))
  const itself = node.properties ? objectWriter(tag, node, used, '') : undefined
  return ((value: { type: string }) => {
    const known = writers.get(value.type), write = known ?? itself
    if (known) used.add('xsi')
    if (!write) throw new Error(`no description for xsi:type ${value.type}`)
    return write(value as never)
  }) as Write
}

/** A frozen member of a list stays what it is, down to its parts: its text is kept as long as the value is, however many lists show it. */
function keeping(write: Write, used: Used): Write {
  const texts = new WeakMap<object, { text: string; prefixes: readonly string[] }>()
  return ((value: object) => {
    if (typeof value !== 'object' || !Object.isFrozen(value)) return write(value as never)
    let kept = texts.get(value)
    if (kept === undefined) {
      const before = [...used]
      used.clear()
      const text = write(value as never)
      texts.set(value, kept = { text, prefixes: [...used] })
      for (const p of before) used.add(p)
    } else for (const p of kept.prefixes) used.add(p)
    return kept.text
  }) as Write
}

function objectWriter(tag: string, node: Node, used: Used, fixed: string): Write {
  const { attributes, content } = objectParts(node, used), begin = `<${tag}${fixed}`, end = `</${tag}>`
  return ((value: Value) => {
    const open = begin + attributes(value), inner = content(value)
    return inner === '' ? `${open}/>` : `${open}>${inner}${end}`
  }) as Write
}

/** Attributes and content of an element, each as text. */
function objectParts(node: Node, used: Used): { attributes: (value: Value) => string; content: (value: Value) => string } {
  const attributes: [string, (v: unknown) => string][] = []
  const children: [string, Write, boolean][] = []
  let textMember: string | undefined
  for (const [member, field] of Object.entries(node.properties ?? {})) {
    if (field.xml?.attribute) attributes.push([member, lexical(field.xml)])
    else if (field.xml?.text) textMember = member
    else if (field.type === 'array') children.push([member, keeping(elementWriter(member, { ...(field.items as Node), xml: { ...(field.items as Node).xml, ...field.xml } } as Node, used), used), true])
    else children.push([member, elementWriter(member, field, used), false])
  }
  return {
    attributes(value) {
      let out = ''
      for (const [member, say] of attributes) if (value[member] !== undefined) out += ` ${member}="${escapeAttribute(say(value[member]))}"`
      return out
    },
    content(value) {
      let out = textMember !== undefined && value[textMember] !== undefined ? escapeText(legal(String(value[textMember]))) : ''
      for (let i = 0; i < children.length; i++) {
        const child = children[i] as (typeof children)[number]
        const v = value[child[0]]
        if (v === undefined || v === null) continue
        if (child[2]) for (const one of v as unknown[]) out += child[1](one as never)
        else out += child[1](v as never)
      }
      return out
    },
  }
}
