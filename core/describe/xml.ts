import { SaxesParser, type SaxesTagNS } from 'saxes'
import type { TSchema } from 'typebox'
import type { XmlForm } from '#core/describe/field.js'
import { plainXml } from '#core/describe/plain-xml.js'
import { Refusal } from '#core/error.js'

/** A JSON Schema as TypeBox makes it, as far as reading needs it. */
type Node = TSchema & {
  type?: string; properties?: Record<string, Node>; required?: string[]; items?: Node; anyOf?: Node[]; const?: unknown; xml?: XmlForm
}

const XSI = 'http://www.w3.org/2001/XMLSchema-instance'

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

type Read = (element: XmlElement, namespaces: ReadonlySet<string>) => unknown
type Text = (raw: string) => unknown

/** Lexical forms of xs:boolean and the integers; anything else stays text, so that validation names it. */
function textReader(node: Node): Text {
  const type = node.type ?? (typeof node.const)
  if (node.xml?.lexical === 'int64') return (raw) => long(raw.trim()) ?? raw
  if (type === 'string') return node.xml?.lexical === 'hex' ? (raw) => raw.trim().toUpperCase() : (raw) => raw
  if (type === 'boolean') return (raw) => { const text = raw.trim(); return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : raw }
  if (type === 'integer') return (raw) => { const text = raw.trim(); return /^[-+]?\d{1,20}$/.test(text) ? Number(text) : raw }
  if (type === 'number') return (raw) => { const text = raw.trim(); return /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text) ? Number(text) : raw }
  return node.anyOf ? textReader((node.anyOf[0] ?? node) as Node) : (raw) => raw
}

/** A description is taken apart once; what devices post by the thousand is read by what came of it. */
const readers = new WeakMap<TSchema, Read>()
function readerOf(node: Node): Read {
  let read = readers.get(node)
  if (!read) readers.set(node, read = node.xml?.substitutes ? substitutingReader(node, node.xml.substitutes) : elementReader(node))
  return read
}

function elementReader(node: Node): Read {
  if (node.type === 'object') return objectReader(node)
  const read = textReader(node)
  return (element) => read(element.text)
}

function substitutingReader(node: Node, substitutes: Readonly<Record<string, TSchema>>): Read {
  const itself = node.properties ? elementReader(node) : undefined
  return (element, namespaces) => {
    const type = element.attributes['xsi:type']?.value.replace(/^.*:/, '') ?? ''
    const target = Object.hasOwn(substitutes, type) ? substitutes[type] : undefined
    if (target) return { type, ...(readerOf(target as Node)(element, namespaces) as object) }
    return itself ? itself(element, namespaces) : { type }
  }
}

function objectReader(node: Node): Read {
  const attributes: [string, Text][] = [], children = new Map<string, { read: Read; many: boolean }>(), neverAbsent: string[] = []
  let own: [string, Text] | undefined
  for (const [member, field] of Object.entries(node.properties ?? {})) {
    if (field.xml?.attribute) { attributes.push([member, textReader(field)]); continue }
    if (field.xml?.text) own = [member, textReader(field)]
    const many = field.type === 'array'
    if (many && node.required?.includes(member)) neverAbsent.push(member)
    children.set(member, { read: readerOf(many ? field.items as Node : field), many })
  }
  return (element, namespaces) => {
    const out: Record<string, unknown> = {}
    for (const [member, read] of attributes) { const found = element.attributes[member]; if (found) out[member] = read(found.value) }
    if (own) out[own[0]] = own[1](element.text)
    for (const child of element.children) {
      const field = children.get(child.name)
      if (!field || !namespaces.has(child.uri)) continue
      const value = field.read(child, namespaces)
      if (!field.many) out[child.name] = value
      else if (Object.hasOwn(out, child.name)) (out[child.name] as unknown[]).push(value)
      else out[child.name] = [value]
    }
    for (const member of neverAbsent) out[member] ??= []
    return out
  }
}

/**
 * The value that an element has by a description: any order of children, unknown ones and foreign namespaces ignored (SEP-026).
 * It is not validated: run the description's check on the result. `namespaces` are the URIs that count as ours.
 */
export function fromXml(element: XmlElement, schema: TSchema, namespaces: ReadonlySet<string>): unknown {
  return readerOf(schema as Node)(element, namespaces)
}
