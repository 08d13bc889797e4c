import { createPublicKey, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { Refusal } from '#core/error.js'
import { child, oidText, readDer, Tag, timeMs } from '#certs/x509/der.js'
import type { DerNode } from '#certs/x509/der.js'
import { Oid } from '#certs/x509/oid.js'

export interface Extension {
  readonly oid: string
  readonly critical: boolean
  readonly value: Buffer
}

export interface NameView {
  readonly raw: Buffer
  readonly empty: boolean
  readonly attributes: readonly { readonly oid: string; readonly text: string }[]
}

/** RFC 4108 §5: SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING }. */
export interface HardwareModuleName {
  readonly hwType: string
  readonly hwSerialNum: Buffer
}

export interface KeyView {
  readonly spki: Buffer
  readonly algorithm: string
  /** Named curve of an EC key. */
  readonly curve?: string
}

/** A certificate as it is written, before anybody judges it. */
export interface CertificateView {
  readonly raw: Buffer
  readonly tbs: Buffer
  readonly version: number
  /** Upper-case hex, as in `openssl x509 -serial`. */
  readonly serial: string
  readonly signatureAlgorithm: string
  readonly signature: Buffer
  readonly issuer: NameView
  readonly subject: NameView
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly key: KeyView
  readonly extensions: readonly Extension[]
}

/** RFC 2986 request. */
export interface RequestView {
  readonly raw: Buffer
  readonly info: Buffer
  readonly subject: NameView
  readonly key: KeyView
  readonly signatureAlgorithm: string
  readonly signature: Buffer
  readonly extensions: readonly Extension[]
  readonly challengePassword?: string
}

export function readName(node: DerNode): NameView {
  const attributes = node.children.flatMap((rdn) => rdn.children.map((pair) => ({ oid: oidText(child(pair, 0, Tag.oid)), text: textOf(child(pair, 1)) })))
  return { raw: node.raw, empty: node.children.length === 0, attributes }
}

function textOf({ tag, content }: DerNode): string {
  if (tag !== Tag.bmp) return content.toString('utf8')
  if (content.length % 2) throw new Refusal('invalid', 'a BMPString is whole 16-bit units')
  return Buffer.from(content).swap16().toString('utf16le')
}

export const nameText = (name: NameView): string =>
  name.attributes.map(({ oid, text }) => `${shortName[oid] ?? oid}=${text}`).join(', ')

const shortName: Readonly<Record<string, string>> = {
  [Oid.commonName]: 'CN', [Oid.organizationName]: 'O', [Oid.serialNumber]: 'serialNumber', '2.5.4.6': 'C', '2.5.4.7': 'L', '2.5.4.8': 'ST', '2.5.4.11': 'OU',
}

export const attributeOf = (name: NameView, oid: string): string | undefined => name.attributes.find((a) => a.oid === oid)?.text

function readKey(node: DerNode): KeyView {
  const algorithm = child(node, 0, Tag.sequence)
  const parameters = algorithm.children[1]
  const curve = parameters?.tag === Tag.oid ? oidText(parameters) : undefined
  return { spki: node.raw, algorithm: oidText(child(algorithm, 0, Tag.oid)), ...(curve === undefined ? {} : { curve }) }
}

export function readExtensions(list: DerNode): Extension[] {
  const seen = new Set<string>()
  return list.children.map((node) => {
    const oid = oidText(child(node, 0, Tag.oid))
    // RFC 5280 §4.2: a certificate must not hold two instances of one extension.
    if (seen.has(oid)) throw new Refusal('invalid', `the extension ${oid} is there twice`)
    seen.add(oid)
    const flagged = node.children[1]?.tag === Tag.boolean
    return { oid, critical: flagged && child(node, 1).content[0] === 0xff, value: child(node, flagged ? 2 : 1, Tag.octetString).content }
  })
}

const bitsOf = (node: DerNode): Buffer => node.content.subarray(1)

/** SIGNED{…}: SEQUENCE { what is signed, algorithm, BIT STRING }; no bit of the wrapping is free, or one certificate would have two LFDIs. */
function readSigned(der: Uint8Array, what: string): { root: DerNode; signed: DerNode; algorithm: DerNode; signature: Buffer } {
  const root = readDer(der)
  if (root.tag !== Tag.sequence || root.children.length !== 3) throw new Refusal('invalid', `not a ${what}`)
  const value = child(root, 2, Tag.bitString)
  if (value.content[0] !== 0) throw new Refusal('invalid', 'a signature is whole octets')
  return { root, signed: child(root, 0, Tag.sequence), algorithm: child(root, 1, Tag.sequence), signature: bitsOf(value) }
}

export function readCertificate(der: Uint8Array): CertificateView {
  const { root, signed: tbs, algorithm, signature } = readSigned(der, 'certificate')
  const versioned = tbs.children[0]?.tag === 0xa0
  const at = versioned ? 1 : 0
  const validity = child(tbs, at + 3, Tag.sequence)
  const inner = child(tbs, at + 1, Tag.sequence)
  // RFC 5280 §4.1.1.2: the two algorithm fields are the same.
  if (!inner.raw.equals(algorithm.raw)) throw new Refusal('invalid', 'the two signature algorithms differ')
  const extensions = tbs.children.find((c) => c.tag === 0xa3)
  return {
    raw: root.raw, tbs: tbs.raw,
    version: versioned ? child(child(tbs, 0), 0, Tag.integer).content[0]! + 1 : 1,
    serial: child(tbs, at, Tag.integer).content.toString('hex').toUpperCase().replace(/^00(?=.)/, ''),
    issuer: readName(child(tbs, at + 2, Tag.sequence)),
    notBeforeMs: timeMs(child(validity, 0)), notAfterMs: timeMs(child(validity, 1)),
    subject: readName(child(tbs, at + 4, Tag.sequence)),
    key: readKey(child(tbs, at + 5, Tag.sequence)),
    extensions: extensions ? readExtensions(child(extensions, 0, Tag.sequence)) : [],
    signatureAlgorithm: oidText(child(algorithm, 0)), signature,
  }
}

export function readRequest(der: Uint8Array): RequestView {
  const { root, signed: info, algorithm, signature } = readSigned(der, 'PKCS#10 request')
  child(info, 0, Tag.integer)
  let extensions: Extension[] = [], challengePassword: string | undefined
  for (const attribute of info.children.find((c) => c.tag === 0xa0)?.children ?? []) {
    const type = oidText(child(attribute, 0, Tag.oid)), value = child(attribute, 1, Tag.set)
    if (type === Oid.extensionRequest) extensions = readExtensions(child(value, 0, Tag.sequence))
    if (type === Oid.challengePassword) challengePassword = textOf(child(value, 0))
  }
  return {
    raw: root.raw, info: info.raw, subject: readName(child(info, 1, Tag.sequence)), key: readKey(child(info, 2, Tag.sequence)),
    signatureAlgorithm: oidText(child(algorithm, 0)), signature, extensions, ...(challengePassword === undefined ? {} : { challengePassword }),
  }
}

type Extended = { readonly extensions: readonly Extension[] }

export const extension = (of: Extended, oid: string): Extension | undefined => of.extensions.find((e) => e.oid === oid)

/** RFC 5280 §4.2.1.3, bit 0 first; undefined when the extension is absent. */
export function keyUsage(of: Extended): ReadonlySet<string> | undefined {
  const found = extension(of, Oid.keyUsage)
  if (!found) return undefined
  const node = readDer(found.value)
  if (node.tag !== Tag.bitString) throw new Refusal('invalid', 'keyUsage is not a BIT STRING')
  const bits = bitsOf(node)
  return new Set(usageNames.filter((_, i) => ((bits[i >> 3] ?? 0) >> (7 - (i & 7))) & 1))
}

export const usageNames = ['digitalSignature', 'nonRepudiation', 'keyEncipherment', 'dataEncipherment', 'keyAgreement', 'keyCertSign', 'cRLSign', 'encipherOnly', 'decipherOnly'] as const

export function basicConstraints(of: Extended): { readonly ca: boolean; readonly pathLen?: number } | undefined {
  const found = extension(of, Oid.basicConstraints)
  if (!found) return undefined
  const node = readDer(found.value)
  const ca = node.children[0]?.tag === Tag.boolean && node.children[0].content[0] === 0xff
  const length = node.children.find((c) => c.tag === Tag.integer)?.content
  // RFC 5280 §4.2.1.9: INTEGER (0..MAX); no path is longer than a byte can say.
  if (length && (length.length > 1 || length[0]! > 0x7f)) throw new Refusal('invalid', 'pathLenConstraint is a small number')
  return { ca, ...(length ? { pathLen: length[0]! } : {}) }
}

export function policies(of: Extended): readonly string[] {
  const found = extension(of, Oid.certificatePolicies)
  return found ? readDer(found.value).children.map((p) => oidText(child(p, 0, Tag.oid))) : []
}

export function extKeyUsage(of: Extended): readonly string[] | undefined {
  const found = extension(of, Oid.extKeyUsage)
  return found ? readDer(found.value).children.map(oidText) : undefined
}

export interface AltName {
  readonly kind: 'otherName' | 'dNSName' | 'iPAddress' | 'other'
  readonly text?: string
  /** OID of an otherName. */
  readonly type?: string
  readonly hardware?: HardwareModuleName
}

/** node:tls and openssl print `othername:<unsupported>`, so this goes by ASN.1 (SEP-211). */
export function altNames(of: Extended): readonly AltName[] {
  const found = extension(of, Oid.subjectAltName)
  if (!found) return []
  return readDer(found.value).children.map((name): AltName => {
    if (name.tag === 0x82) return { kind: 'dNSName', text: name.content.toString('latin1') }
    if (name.tag === 0x87) return { kind: 'iPAddress', text: addressText(name.content) }
    if (name.tag !== 0xa0) return { kind: 'other' }
    const type = oidText(child(name, 0, Tag.oid))
    if (type !== Oid.hardwareModuleName) return { kind: 'otherName', type }
    const body = child(child(name, 1, 0xa0), 0, Tag.sequence)
    if (body.children.length !== 2) throw new Refusal('invalid', 'hardwareModuleName holds hwType and hwSerialNum')
    return { kind: 'otherName', type, hardware: { hwType: oidText(child(body, 0, Tag.oid)), hwSerialNum: child(body, 1, Tag.octetString).content } }
  })
}

const addressText = (bytes: Buffer): string => bytes.length === 4 ? bytes.join('.') : bytes.toString('hex').replaceAll(/(....)(?=.)/g, '$1:')

export const hardwareModuleName = (of: Extended): HardwareModuleName | undefined => altNames(of).find((n) => n.hardware)?.hardware

/** Serial numbers are ASCII by habit; others are shown as hex. */
export const hwSerialText = (name: HardwareModuleName): string =>
  /^[\x20-\x7e]+$/.test(name.hwSerialNum.toString('latin1')) ? name.hwSerialNum.toString('latin1') : `0x${name.hwSerialNum.toString('hex')}`

export function subjectKeyIdentifier(of: Extended): string | undefined {
  const found = extension(of, Oid.subjectKeyIdentifier)
  return found && readDer(found.value).content.toString('hex').toUpperCase()
}

export function authorityKeyIdentifier(of: Extended): string | undefined {
  const found = extension(of, Oid.authorityKeyIdentifier)
  return found && readDer(found.value).children.find((c) => c.tag === 0x80)?.content.toString('hex').toUpperCase()
}

/** Reading a key takes longer than checking a signature with it; a view's key is read once. */
const keys = new WeakMap<KeyView, KeyObject>()

/** The key for node:crypto; throws `invalid` for a point off the curve or a broken modulus (SEC-021). */
export function publicKeyOf(key: KeyView): KeyObject {
  const known = keys.get(key)
  if (known) return known
  try {
    const made = createPublicKey({ key: key.spki, format: 'der', type: 'spki' })
    keys.set(key, made)
    return made
  } catch (cause) {
    throw new Refusal('invalid', 'the public key is not a valid one', { cause })
  }
}

const digestOf: Readonly<Record<string, string>> = {
  [Oid.ecdsaWithSHA256]: 'sha256', '1.2.840.10045.4.3.3': 'sha384', '1.2.840.10045.4.3.4': 'sha512',
  [Oid.sha256WithRSAEncryption]: 'sha256', '1.2.840.113549.1.1.12': 'sha384', '1.2.840.113549.1.1.13': 'sha512',
}

/** Whether `signature` over `data` is that key's; algorithms that we do not know (SHA-1, PSS) are never right. */
export function signatureHolds(key: KeyView, algorithm: string, data: Buffer, signature: Buffer): boolean {
  const digest = digestOf[algorithm]
  if (!digest) return false
  try {
    return verify(digest, data, publicKeyOf(key), signature)
  } catch {
    return false
  }
}
