import type { KeyObject } from 'node:crypto'
import { Refusal } from '#core/error.js'
import { readCertificate, subjectKeyIdentifier } from '#certs/x509/certificate.js'
import type { Extension } from '#certs/x509/certificate.js'
import {
  authorityKeyIdentifierExtension, basicConstraintsExtension, crlDistributionPointExtension, extKeyUsageExtension, hardwareModuleNameExtension,
  hostNamesExtension, keyIdentifierOf, keyUsageExtension, ocspUrlExtension, policiesExtension, subjectKeyIdentifierExtension,
} from '#certs/x509/extensions.js'
import { signCertificate, signed, toBeSigned } from '#certs/x509/issue.js'
import type { NameParts } from '#certs/x509/issue.js'
import { Oid, Policy } from '#certs/x509/oid.js'
import { certificatePem } from '#certs/x509/pem.js'
import { keyPem, keySigner, newEcKey, spkiOf } from '#certs/x509/signer.js'
import type { Signer } from '#certs/x509/signer.js'

/** A certificate authority that can sign: its certificate, the ones above it up to the root, and the hand that signs. */
export interface Authority {
  readonly certificate: Buffer
  /** From this one's issuer to the root; empty for a root. */
  readonly above: readonly Buffer[]
  readonly signer: Signer
}

export interface Validity {
  readonly fromMs: number
  readonly toMs: number
}

/** 99991231235959Z: no well-defined end (RFC 5280 §4.1.2.5, SEP-202). */
export const indefinite = Date.UTC(9999, 11, 31, 23, 59, 59)

/**
 * SEP-225, SEC-025: 128 bits, positive, random but for the top two. Setting bit 126 keeps every serial at sixteen
 * octets, so none ever needs a sign octet and none can be short.
 */
export function serialFrom(random: string): string {
  if (!/^[0-9a-f]{32}$/i.test(random)) throw new RangeError('a serial is made of 16 random bytes')
  return (((Number.parseInt(random.slice(0, 2), 16) & 0x7f) | 0x40).toString(16).padStart(2, '0') + random.slice(2)).toUpperCase()
}

/** The chain that travels: issuing certificates without the root (SEP-210). */
export const sentChain = (authority: Authority): Buffer[] =>
  authority.above.length === 0 ? [] : [authority.certificate, ...authority.above.slice(0, -1)]

/** Issuer first, root last. */
export const wholeChain = (authority: Authority): Buffer[] => [authority.certificate, ...authority.above]

interface CaPlan {
  readonly serial: string
  readonly subject: NameParts
  readonly validity: Validity
}

/** SEP-204: Subject, critical CA constraints, keyCertSign + cRLSign, policies, subjectKeyIdentifier. */
const caExtensions = (spki: Buffer, policies: readonly string[], pathLen?: number): Extension[] => [
  basicConstraintsExtension(pathLen), keyUsageExtension('keyCertSign', 'cRLSign'),
  ...(policies.length > 0 ? [policiesExtension(policies)] : []),
  subjectKeyIdentifierExtension(keyIdentifierOf(spki)),
]

async function root(plan: CaPlan & { readonly policies: readonly string[] }, signer: Signer): Promise<Authority> {
  const certificate = await signCertificate({
    serial: plan.serial, subject: plan.subject, notBeforeMs: plan.validity.fromMs, notAfterMs: plan.validity.toMs,
    publicKey: signer.publicKey, extensions: caExtensions(signer.publicKey, plan.policies),
  }, signer)
  return { certificate, above: [], signer }
}

/** Smart Energy Root CA: anyPolicy, no path limit (SEP-204). */
export const createSerca = (plan: CaPlan, signer: Signer): Promise<Authority> => root({ ...plan, policies: [Oid.anyPolicy] }, signer)

/** Root of ordinary certificates: TLS servers, vendors, OCPP stations. */
export const createRoot = (plan: CaPlan, signer: Signer): Promise<Authority> => root({ ...plan, policies: [] }, signer)

/** The policies that an issuing CA of ours may pass on; the test and self-signed ones are left out (SEP-207, SEP-208). */
const micaPolicies = [Policy.generic, Policy.mobile, Policy.postManufacture, Policy.commercial, Policy.bulk]

/** MCA (path length 1) or MICA (path length 0) below `parent`; `signer` is the new authority's own key. */
export async function createIntermediate(kind: 'MCA' | 'MICA', parent: Authority, plan: CaPlan, signer: Signer): Promise<Authority> {
  const certificate = await sign(parent, {
    ...plan, publicKey: signer.publicKey,
    extensions: caExtensions(signer.publicKey, kind === 'MCA' ? [Oid.anyPolicy] : micaPolicies, kind === 'MCA' ? 1 : 0),
  })
  return { certificate, above: wholeChain(parent), signer }
}

interface LeafPlan {
  readonly serial: string
  readonly subject?: NameParts
  readonly validity: Validity
  readonly publicKey: Buffer
  readonly extensions: readonly Extension[]
}

/** Subject and key identifier of an issuer, read once. */
const issuers = new WeakMap<Buffer, { readonly name: Buffer; readonly id: Buffer }>()
function issuerOf({ certificate }: Authority): { readonly name: Buffer; readonly id: Buffer } {
  const known = issuers.get(certificate)
  if (known) return known
  const view = readCertificate(certificate), id = subjectKeyIdentifier(view)
  if (id === undefined) throw new Refusal('invalid', 'the issuing certificate has no subjectKeyIdentifier')
  const made = { name: view.subject.raw, id: Buffer.from(id, 'hex') }
  issuers.set(certificate, made)
  return made
}

/** What `issuer` would sign, with the authorityKeyIdentifier that names it. */
function planned(issuer: Authority, plan: LeafPlan): Promise<Buffer> {
  const { name, id } = issuerOf(issuer)
  return toBeSigned({
    serial: plan.serial, issuer: name, ...(plan.subject ? { subject: plan.subject } : {}), publicKey: plan.publicKey,
    notBeforeMs: plan.validity.fromMs, notAfterMs: plan.validity.toMs,
    extensions: [...plan.extensions, authorityKeyIdentifierExtension(id)],
  }, issuer.signer.algorithm)
}

const sign = async (issuer: Authority, plan: LeafPlan): Promise<Buffer> => signed(await planned(issuer, plan), issuer.signer)

export interface DevicePlan {
  readonly serial: string
  readonly publicKey: Buffer
  readonly hwType: string
  readonly hwSerialNum: Uint8Array | string
  /** Default generic only; the first is the device type (SEP-202). */
  readonly policies?: readonly string[]
  /** `toMs` is `indefinite` unless configured otherwise (SEP-225). */
  readonly validity: Validity
}

/**
 * SEP-202: empty Subject, critical hardwareModuleName, critical keyUsage and policies, no basicConstraints. Our 2030.5
 * server and aggregators wear the same profile (SEP-210). The bytes to be signed; `signed` finishes them.
 */
export function planDevice(mica: Authority, plan: DevicePlan): Promise<Buffer> {
  const serialNum = typeof plan.hwSerialNum === 'string' ? Buffer.from(plan.hwSerialNum, 'utf8') : plan.hwSerialNum
  return planned(mica, {
    serial: plan.serial, publicKey: plan.publicKey, validity: plan.validity,
    extensions: [
      keyUsageExtension('digitalSignature', 'keyAgreement'), policiesExtension(plan.policies ?? [Policy.generic]),
      hardwareModuleNameExtension(plan.hwType, serialNum),
    ],
  })
}

export const issueDevice = async (mica: Authority, plan: DevicePlan): Promise<Buffer> => signed(await planDevice(mica, plan), mica.signer)

/** Ordinary server certificate: CN = first name, O = owner, every name in the SAN (OCPP-026). */
export function issueTlsServer(issuer: Authority, plan: {
  readonly serial: string; readonly publicKey: Buffer; readonly names: readonly string[]; readonly organization: string; readonly validity: Validity; readonly rsa?: boolean
}): Promise<Buffer> {
  const usage = plan.rsa ? keyUsageExtension('digitalSignature', 'keyEncipherment') : keyUsageExtension('digitalSignature')
  return sign(issuer, {
    serial: plan.serial, publicKey: plan.publicKey, validity: plan.validity, subject: [{ CN: [plan.names[0] ?? 'localhost'] }, { O: [plan.organization] }],
    extensions: [usage, extKeyUsageExtension(Oid.serverAuth), hostNamesExtension(plan.names)],
  })
}

/**
 * Ordinary client certificate. A charging station's has O = operator and CN = serial number (OCPP 2.0.1 Part 2 A00.FR.507 …,
 * OCPP-037); a vendor's has its name. Both may carry where to ask about revocation.
 */
export function issueClient(issuer: Authority, plan: {
  readonly serial: string; readonly publicKey: Buffer; readonly commonName: string; readonly organization: string; readonly validity: Validity
  readonly ocspUrl?: string; readonly crlUrl?: string
}): Promise<Buffer> {
  return sign(issuer, {
    serial: plan.serial, publicKey: plan.publicKey, validity: plan.validity, subject: [{ O: [plan.organization] }, { CN: [plan.commonName] }],
    extensions: [
      keyUsageExtension('digitalSignature', 'keyAgreement'), extKeyUsageExtension(Oid.clientAuth),
      ...(plan.crlUrl ? [crlDistributionPointExtension(plan.crlUrl)] : []), ...(plan.ocspUrl ? [ocspUrlExtension(plan.ocspUrl)] : []),
    ],
  })
}

/** A key and the certificates that go with it, as node:tls wants them. */
export interface TlsIdentity {
  readonly key: string
  /** Leaf first, then intermediates, never the root (SEP-210). */
  readonly cert: string
}

export const tlsIdentity = (issuer: Authority, key: KeyObject, leaf: Buffer): TlsIdentity =>
  ({ key: keyPem(key), cert: [leaf, ...sentChain(issuer)].map(certificatePem).join('') })

/** Finishes what `planDevice` began. */
export { signed } from '#certs/x509/issue.js'

export const authorityFrom = (certificate: Buffer, above: readonly Buffer[], key: KeyObject): Authority =>
  ({ certificate, above, signer: keySigner(key) })

export interface IssuedDevice {
  readonly hwSerialNum: string
  readonly der: Buffer
  readonly certificate: string
  readonly key: string
}

/** Keys and certificates for simulated devices, `make(i)` naming each. Yields to the event loop now and then. */
export async function issueDevices(mica: Authority, serials: readonly string[], options: {
  readonly hwType: string; readonly validity: Validity; readonly random: () => string
}): Promise<IssuedDevice[]> {
  const made: IssuedDevice[] = []
  for (const hwSerialNum of serials) {
    const key = newEcKey()
    const der = await issueDevice(mica, { serial: serialFrom(options.random()), publicKey: spkiOf(key), hwType: options.hwType, hwSerialNum, validity: options.validity })
    made.push({ hwSerialNum, der, certificate: certificatePem(der), key: keyPem(key) })
    if (made.length % 50 === 0) await new Promise((next) => { setImmediate(next) })
  }
  return made
}
