import { SaxesParser, type SaxesTagNS } from 'saxes'
import type { TSchema } from 'typebox'
import type { XmlForm } from '#core/describe/field.js'
import { plainXml } from '#core/describe/plain-xml.js'
import { Refusal } from '#core/error.js'

/** A JSON Schema as TypeBox makes it, as far as XML needs it. */
type Node = TSchema & {
  type?: string; properties?: Record<string, Node>; required?: string[]; items?: Node; anyOf?: Node[]; const?: unknown; enum?: unknown[]; xml?: XmlForm
}

const XSI = 'http://www.w3.org/2001/XMLSchema-instance'

// ───────────── writing ─────────────

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
  const body = elementWriter(name, schema as Node, new Map())
  const used = prefixesOf(schema as Node, new Set(), new Set())
  const possible = [...Object.entries(options.prefixes ?? {}).filter(([p]) => used.has(p)), ...(used.has('xsi') ? [['xsi', XSI] as const] : [])]
    .map(([p, uri]) => ({ sign: p === 'xsi' ? ' xsi:type="' : `<${p}:`, declaration: ` xmlns:${p}="${uri}"` }))
  const prefix = (schema as Node).xml?.prefix
  const at = name.length + 1 + (prefix ? prefix.length + 1 : 0)
  return (value) => {
    const text = (body as (v: unknown) => string)(value)
    // A prefix is declared when this document uses it: strict readers of the base schema meet no namespace they do not know.
    let root = ` xmlns="${options.namespace}"`
    for (const { sign, declaration } of possible) if (text.includes(sign)) root += declaration
    return `<?xml version="1.0" encoding="UTF-8"?>\n${text.slice(0, at)}${root}${text.slice(at)}`
  }
}

function prefixesOf(node: Node, found: Set<string>, seen: Set<Node>): Set<string> {
  if (seen.has(node)) return found
  seen.add(node)
  if (node.xml?.prefix) found.add(node.xml.prefix)
  if (node.xml?.substitutes) {
    found.add('xsi')
    for (const other of Object.values(node.xml.substitutes)) prefixesOf(other as Node, found, seen)
  }
  if (node.items) prefixesOf(node.items, found, seen)
  for (const child of Object.values(node.properties ?? {})) prefixesOf(child, found, seen)
  return found
}

function elementWriter(name: string, node: Node, made: Map<string, Write>): Write {
  const tag = node.xml?.prefix ? `${node.xml.prefix}:${name}` : name
  if (node.xml?.substitutes) return substitutingWriter(tag, node, node.xml.substitutes, made)
  if (node.type !== 'object') {
    const open = `<${tag}>`, close = `</${tag}>`
    if (node.xml?.lexical === 'hex') return ((value: unknown) => open + inText(String(value).toUpperCase()) + close) as Write
    return ((value: unknown) => open + inText(value) + close) as Write
  }
  return objectWriter(tag, node, made, '')
}

/** One with children of its own is written as itself where its `type` names no other. */
function substitutingWriter(tag: string, node: Node, substitutes: Readonly<Record<string, TSchema>>, made: Map<string, Write>): Write {
  const writers = new Map(Object.entries(substitutes).map(([type, schema]) => [type, objectWriter(tag, schema as Node, made, ` xsi:type="${type}"`)]))
  const itself = node.properties ? objectWriter(tag, node, made, '') : undefined
  return ((value: { type: string }) => {
    const write = writers.get(value.type) ?? itself
    if (!write) throw new Error(`no description for xsi:type ${value.type}`)
    return write(value as never)
  }) as Write
}

function objectWriter(tag: string, node: Node, made: Map<string, Write>, fixed: string): Write {
  const attributes: [string, (v: unknown) => string][] = []
  const children: [string, Write, boolean][] = []
  let textMember: string | undefined
  for (const [member, field] of Object.entries(node.properties ?? {})) {
    if (field.xml?.attribute) attributes.push([member, lexical(field.xml)])
    else if (field.xml?.text) textMember = member
    else if (field.type === 'array') children.push([member, elementWriter(member, { ...(field.items as Node), xml: { ...(field.items as Node).xml, ...field.xml } } as Node, made), true])
    else children.push([member, elementWriter(member, field, made), false])
  }
  return ((value: Record<string, unknown>) => {
    let open = `<${tag}${fixed}`
    for (const [member, say] of attributes) if (value[member] !== undefined) open += ` ${member}="${escapeAttribute(say(value[member]))}"`
    let inner = textMember !== undefined && value[textMember] !== undefined ? escapeText(legal(String(value[textMember]))) : ''
    for (let i = 0; i < children.length; i++) {
      const child = children[i] as (typeof children)[number]
      const v = value[child[0]]
      if (v === undefined || v === null) continue
      if (child[2]) for (const one of v as unknown[]) inner += child[1](one as never)
      else inner += child[1](v as never)
    }
    return inner === '' ? `${open}/>` : `${open}>${inner}</${tag}>`
  }) as Write
}

// ───────────── reading ─────────────

export interface XmlElement {
  readonly name: string
  readonly uri: string
  readonly attributes: Record<string, { value: string; uri: string }>
  readonly children: XmlElement[]
  text: string
}

export interface ReadLimits {
  readonly maxDepth?: number
  readonly maxElements?: number
  readonly maxAttributes?: number
  /** Never take the short way of `plainXml`. */
  readonly thorough?: boolean
}

/**
 * Parses a document into elements, every text a string (SEP-025). Refuses with `invalid`: broken XML, a DOCTYPE, processing
 * instructions, more than `maxDepth` (32) levels, `maxElements` (20,000) elements or `maxAttributes` (32) attributes, invalid UTF-8.
 * The caller caps the size first.
 */
export function parseXml(input: string | Buffer, limits: ReadLimits = {}): XmlElement {
  const text = typeof input === 'string' ? input : decode(input)
  const maxDepth = limits.maxDepth ?? 32, maxElements = limits.maxElements ?? 20_000, maxAttributes = limits.maxAttributes ?? 32
  const easy = limits.thorough ? undefined : plainXml(text, { maxDepth, maxElements, maxAttributes })
  if (easy) return easy
  const parser = new SaxesParser({ xmlns: true, position: false })
  const stack: XmlElement[] = []
  let root: XmlElement | undefined, top: XmlElement | undefined, elements = 0
  const refuse = (why: string): never => { throw new Refusal('invalid', `The XML is not acceptable: ${why}.`) }
  parser.on('error', (e) => refuse(e.message.replace(/^[\d:]*\s*/, '').slice(0, 120)))
  parser.on('doctype', () => refuse('a DOCTYPE is not allowed'))
  parser.on('processinginstruction', () => refuse('a processing instruction is not allowed'))
  let attributesHere = 0
  parser.on('opentagstart', () => {
    attributesHere = 0
    if (stack.length >= maxDepth) refuse(`it is nested deeper than ${maxDepth} levels`)
    if (++elements > maxElements) refuse(`it has more than ${maxElements} elements`)
  })
  parser.on('attribute', () => { if (++attributesHere > maxAttributes) refuse(`an element has more than ${maxAttributes} attributes`) })
  parser.on('opentag', (tag: SaxesTagNS) => {
    const element: XmlElement = { name: tag.local, uri: tag.uri, attributes: plain(tag), children: [], text: '' }
    if (top) top.children.push(element)
    else root = element
    stack.push(element)
    top = element
  })
  // `write` gives a text in one piece, so that the usual case is an assignment.
  const append = (t: string): void => { if (top) top.text = top.text === '' ? t : top.text + t }
  parser.on('text', append)
  parser.on('cdata', append)
  parser.on('closetag', () => { stack.pop(); top = stack[stack.length - 1] })
  parser.write(text).close()
  return root ?? refuse('it has no root element')
}

/** Most elements have none; without a prototype, so that no name is special (SEC-032). */
const noAttributes: XmlElement['attributes'] = Object.freeze(Object.create(null)) as XmlElement['attributes']

function plain(tag: SaxesTagNS): XmlElement['attributes'] {
  let out: XmlElement['attributes'] | undefined
  for (const name in tag.attributes) {
    const a = tag.attributes[name] as SaxesTagNS['attributes'][string]
    // Attributes of a description are unqualified (SEP-023); of the others only xsi:type says something, under that name.
    const known = a.uri === '' && a.name !== 'xmlns' ? a.local : a.uri === XSI && a.local === 'type' ? 'xsi:type' : undefined
    if (known !== undefined) (out ??= Object.create(null) as XmlElement['attributes'])[known] = { value: a.value, uri: a.uri }
  }
  return out ?? noAttributes
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Refusal('invalid', 'The XML is not acceptable: it is not valid UTF-8.', { cause })
  }
}

/** xs:long: exact, as a number or as digits; beyond 64 bits a number that no range admits. */
function long(text: string): number | string | undefined {
  if (!/^[-+]?\d{1,20}$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) || BigInt.asIntN(64, BigInt(text)) !== BigInt(text) ? value : BigInt(text).toString()
}

/** Lexical forms of xs:boolean and the integers; anything else stays text, so that validation names it. */
function scalar(node: Node, raw: string): unknown {
  const type = node.type ?? (typeof node.const)
  if (node.xml?.lexical === 'int64') return long(raw.trim()) ?? raw
  if (type === 'string') return node.xml?.lexical === 'hex' ? raw.trim().toUpperCase() : raw
  const trimmed = raw.trim()
  if (type === 'boolean') return trimmed === 'true' || trimmed === '1' ? true : trimmed === 'false' || trimmed === '0' ? false : raw
  if (type === 'integer') return /^[-+]?\d{1,20}$/.test(trimmed) ? Number(trimmed) : raw
  if (type === 'number') return /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(trimmed) ? Number(trimmed) : raw
  if (node.anyOf) return scalar((node.anyOf[0] ?? node) as Node, raw)
  return raw
}

/**
 * The value that an element has by a description: any order of children, unknown ones and foreign namespaces ignored (SEP-026).
 * It is not validated: run the description's check on the result. `namespaces` are the URIs that count as ours.
 */
export function fromXml(element: XmlElement, schema: TSchema, namespaces: ReadonlySet<string>): unknown {
  const node = schema as Node
  if (node.xml?.substitutes) {
    const type = element.attributes['xsi:type']?.value.replace(/^.*:/, '') ?? ''
    const target = Object.hasOwn(node.xml.substitutes, type) ? node.xml.substitutes[type] : undefined
    if (target) return { type, ...(fromXml(element, target, namespaces) as object) }
    if (!node.properties) return { type }
  }
  if (node.type !== 'object') return scalar(node, element.text)
  const out: Record<string, unknown> = {}
  const fields = node.properties ?? {}
  for (const [member, field] of Object.entries(fields)) {
    if (field.xml?.attribute && element.attributes[member]) out[member] = scalar(field, element.attributes[member].value)
    else if (field.xml?.text) out[member] = scalar(field, element.text)
    else if (field.type === 'array' && !field.xml?.attribute) out[member] = []
  }
  for (const child of element.children) {
    if (!namespaces.has(child.uri) || !Object.hasOwn(fields, child.name)) continue
    const field = fields[child.name] as Node
    if (field.xml?.attribute) continue
    if (field.type === 'array') (out[child.name] as unknown[]).push(fromXml(child, field.items as Node, namespaces))
    else out[child.name] = fromXml(child, field, namespaces)
  }
  for (const [member, field] of Object.entries(fields)) {
    if (field.type === 'array' && (out[member] as unknown[] | undefined)?.length === 0 && !node.required?.includes(member)) delete out[member]
  }
  return out
}
