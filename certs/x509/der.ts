import { Refusal } from '#core/error.js'

/**
 * Strict DER, both ways. @peculiar/x509 reads BER kindly; what comes from outside is read here first, so that
 * indefinite lengths, padded lengths, trailing bytes and deep nesting never get further (SEC-027).
 */
export interface DerNode {
  /** The identifier octet. */
  readonly tag: number
  readonly raw: Buffer
  readonly content: Buffer
  /** Empty for primitive encodings. */
  readonly children: readonly DerNode[]
}

export const Tag = {
  boolean: 0x01, integer: 0x02, bitString: 0x03, octetString: 0x04, nul: 0x05, oid: 0x06, enumerated: 0x0a, utf8: 0x0c,
  printable: 0x13, ia5: 0x16, bmp: 0x1e, utcTime: 0x17, generalizedTime: 0x18, sequence: 0x30, set: 0x31,
} as const

/** Deeper than any certificate we know (a CSR with extensions is 9 deep). */
const deepest = 20
const mostNodes = 2_000
export const longestDer = 65_536

const bad = (why: string): never => { throw new Refusal('invalid', `not DER: ${why}`) }

/** Where one value's content lies, its length in the one spelling that DER allows. */
function headerAt(buffer: Buffer, at: number, end: number): { readonly tag: number; readonly start: number; readonly stop: number } {
  if (at + 2 > end) bad('cut short')
  const tag = buffer[at]!
  if ((tag & 0x1f) === 0x1f) bad('a tag number above 30')
  let length = buffer[at + 1]!, start = at + 2
  if (length === 0x80) bad('indefinite length')
  if (length > 0x80) {
    const octets = length & 0x7f
    if (octets > 3 || start + octets > end) bad('a length beyond the end')
    length = buffer.readUIntBE(start, octets)
    if (length < 0x80 || (octets > 1 && length < 2 ** (8 * (octets - 1)))) bad('a length that is not minimal')
    start += octets
  }
  if (start + length > end) bad('a length beyond the end')
  return { tag, start, stop: start + length }
}

/** Reads one value that fills the buffer. */
export function readDer(bytes: Uint8Array): DerNode {
  if (bytes.length > longestDer) throw new Refusal('tooLarge', `more than ${longestDer} bytes`)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let nodes = 0
  function read(at: number, end: number, depth: number): DerNode {
    if (++nodes > mostNodes) bad('too many elements')
    if (depth > deepest) bad('nested too deep')
    const { tag, start, stop } = headerAt(buffer, at, end), content = buffer.subarray(start, stop)
    const children: DerNode[] = []
    if (tag & 0x20) for (let next = start; next < stop;) {
      const child = read(next, stop, depth + 1)
      children.push(child)
      next += child.raw.length
    } else checkPrimitive(tag, content)
    return { tag, raw: buffer.subarray(at, stop), content, children }
  }
  const root = read(0, buffer.length, 0)
  if (root.raw.length !== buffer.length) bad('bytes after the end')
  return root
}

/** One value after another, none looked into: for what is too long to be held as nodes, a revocation list. */
export function* valuesIn(bytes: Uint8Array): Generator<Omit<DerNode, 'children'>> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < buffer.length;) {
    const { tag, start, stop } = headerAt(buffer, at, buffer.length)
    yield { tag, raw: buffer.subarray(at, stop), content: buffer.subarray(start, stop) }
    at = stop
  }
}

function checkPrimitive(tag: number, content: Buffer): void {
  const [first = -1, second = 0] = content
  if (tag === Tag.boolean && (content.length !== 1 || (first !== 0 && first !== 0xff))) bad('a BOOLEAN')
  if (tag === Tag.integer || tag === Tag.enumerated) {
    if (content.length === 0) bad('an empty INTEGER')
    if (content.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) bad('an INTEGER that is not minimal')
  }
  if (tag === Tag.bitString && (first < 0 || first > 7 || (content.length === 1 && first > 0))) bad('a BIT STRING')
  if (tag === Tag.oid && (content.length === 0 || content.length > 64 || content.at(-1)! > 0x7f || padded(content))) bad('an OBJECT IDENTIFIER')
  if (tag === Tag.nul && content.length > 0) bad('a NULL with content')
  if (tag === Tag.sequence - 0x20 || tag === Tag.set - 0x20) bad('a primitive SEQUENCE')
}

/** X.690 §8.19.2: no arc begins with 0x80, or one identifier would have many spellings. */
const padded = (content: Buffer): boolean => content.some((octet, i) => octet === 0x80 && (i === 0 || content[i - 1]! < 0x80))

/** The child at `index` with the tag that the grammar demands there. */
export function child(node: DerNode, index: number, tag?: number): DerNode {
  const found = node.children[index]
  if (!found || (tag !== undefined && found.tag !== tag)) return bad(`element ${index} is missing or of another type`)
  return found
}

export function oidText(node: DerNode): string {
  if (node.tag !== Tag.oid) bad('an OBJECT IDENTIFIER was expected')
  const parts: bigint[] = []
  let value = 0n
  for (const octet of node.content) {
    value = (value << 7n) | BigInt(octet & 0x7f)
    if (octet < 0x80) { parts.push(value); value = 0n }
  }
  const head = parts[0]!, root = head < 40n ? 0n : head < 80n ? 1n : 2n
  return [root, head - root * 40n, ...parts.slice(1)].join('.')
}

/** UTCTime and GeneralizedTime as RFC 5280 §4.1.2.5 allows them: with seconds, in Z, without fractions. */
export function timeMs(node: DerNode): number {
  const text = node.content.toString('latin1')
  const found = node.tag === Tag.utcTime ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
    : node.tag === Tag.generalizedTime ? /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text) : null
  if (!found) return bad('a time')
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1).map(Number)
  const full = node.tag === Tag.utcTime ? year + (year < 50 ? 2000 : 1900) : year
  const ms = Date.UTC(full, month - 1, day, hour, minute, second)
  const back = new Date(ms)
  // Date.UTC takes the years 0 … 99 for 1900 … 1999.
  if (back.getUTCFullYear() !== full || back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) return bad('a time')
  return ms
}

// Writing.

export function tlv(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  const n = body.length
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : n < 0x10000 ? [0x82, n >> 8, n & 0xff]
    : n < 0x1000000 ? [0x83, n >> 16, (n >> 8) & 0xff, n & 0xff] : [0x84, n >>> 24, (n >> 16) & 0xff, (n >> 8) & 0xff, n & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => tlv(Tag.sequence, ...items)
/** SET OF: DER sorts the encodings. */
export const set = (...items: readonly Uint8Array[]): Buffer => tlv(Tag.set, ...[...items].sort(Buffer.compare))
export const octetString = (...content: readonly Uint8Array[]): Buffer => tlv(Tag.octetString, ...content)
export const bitString = (content: Uint8Array, unused = 0): Buffer => tlv(Tag.bitString, Buffer.from([unused]), content)
export const utf8 = (text: string): Buffer => tlv(Tag.utf8, Buffer.from(text, 'utf8'))
export const ia5 = (text: string): Buffer => tlv(Tag.ia5, Buffer.from(text, 'latin1'))
export const boolean = (value: boolean): Buffer => tlv(Tag.boolean, Buffer.from([value ? 0xff : 0]))
export const nul = (): Buffer => tlv(Tag.nul)
/** `[n]` constructed. */
export const explicit = (n: number, ...content: readonly Uint8Array[]): Buffer => tlv(0xa0 | n, ...content)
/** `[n]` primitive, in place of the type's own tag. */
export const implicit = (n: number, content: Uint8Array): Buffer => tlv(0x80 | n, content)

export function integer(value: number | bigint | Uint8Array): Buffer {
  let bytes: Buffer
  if (typeof value === 'number' || typeof value === 'bigint') {
    let hex = BigInt(value).toString(16)
    if (hex.length % 2) hex = `0${hex}`
    bytes = Buffer.from(hex, 'hex')
  } else bytes = Buffer.from(value)
  while (bytes.length > 1 && bytes[0] === 0 && bytes[1]! < 0x80) bytes = bytes.subarray(1)
  return tlv(Tag.integer, bytes[0]! >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), bytes)
}

export const isOid = (text: string): boolean => /^[0-2](\.(0|[1-9]\d{0,38})){1,24}$/.test(text)

export function oid(text: string): Buffer {
  if (!isOid(text)) throw new Refusal('invalid', `${text.slice(0, 80)} is not an object identifier`)
  const [root = 0n, second = 0n, ...rest] = text.split('.').map(BigInt)
  const octets: number[] = []
  for (const part of [root * 40n + second, ...rest]) {
    const digits = [Number(part & 0x7fn)]
    for (let left = part >> 7n; left > 0n; left >>= 7n) digits.unshift(Number(left & 0x7fn) | 0x80)
    octets.push(...digits)
  }
  return tlv(Tag.oid, Buffer.from(octets))
}

/** RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050. */
export function time(ms: number): Buffer {
  const at = new Date(ms), text = at.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return at.getUTCFullYear() < 2050 ? tlv(Tag.utcTime, Buffer.from(text.slice(2))) : tlv(Tag.generalizedTime, Buffer.from(text))
}

export const generalizedTime = (ms: number): Buffer =>
  tlv(Tag.generalizedTime, Buffer.from(new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')))
