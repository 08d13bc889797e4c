import { isRefusal, Refusal } from '#core/error.js'
import { checkDeviceRequest, keyHashOf, longestRequest } from '#certs/csr.js'
import type { AcceptedDevice } from '#certs/profile/device.js'
import { guessableKey } from '#certs/profile/weak-key.js'
import type { EnrolmentRecord, SecretRecord, VendorRecord } from '#certs/record.js'
import { checkSerial, hwTypeOf, penArc } from '#certs/vendor.js'
import { hardwareModuleName, publicKeyOf } from '#certs/x509/certificate.js'
import type { CertificateView } from '#certs/x509/certificate.js'
import { readDer } from '#certs/x509/der.js'
import { Oid } from '#certs/x509/oid.js'
import { fromPem } from '#certs/x509/pem.js'

/** Who asks for a certificate, as the door proved it (SEP-223). */
export type Requester =
  | { readonly kind: 'vendor'; readonly vendor: VendorRecord }
  | { readonly kind: 'secret'; readonly vendor: VendorRecord; readonly id: string; readonly secret: SecretRecord }
  | { readonly kind: 'device'; readonly vendor: VendorRecord; readonly device: AcceptedDevice }

export type BatchRow = { readonly csr: string } | { readonly hwSerialNum: string; readonly publicKey: string; readonly hwType?: string }

/** One certificate to be made, after every check. */
export interface Job {
  readonly vendor: VendorRecord
  readonly hwType: string
  readonly hwSerialNum: string
  readonly publicKey: Buffer
  readonly keyHash: string
  readonly csr: string | null
  readonly requester: string
  readonly replaces: string | null
}

export const nameOf = (requester: Requester): string =>
  requester.kind === 'vendor' ? `vendor:${requester.vendor.name}` : requester.kind === 'secret' ? `secret:${requester.secret.hwSerialNum}` : `device:${requester.device.lfdi}`

/** SEP-224, SEC-020: a requester gets a certificate for the serial number that it may speak for, and for no other. */
export function serialAskedFor(asked: string | undefined, requester: Requester): string {
  const own = requester.kind === 'secret' ? requester.secret.hwSerialNum : requester.kind === 'device' ? requester.device.hwSerialNum : undefined
  if (own !== undefined && asked !== undefined && asked !== own) throw new Refusal('invalid', 'the hwSerialNum of the request is not the one that was authorised')
  const serial = own ?? asked
  if (serial === undefined) throw new Refusal('invalid', 'the request names no hwSerialNum')
  return checkSerial(serial)
}

/** hwType lies below the vendor's enterprise number; once issued, a device keeps its type. */
export function hwTypeAskedFor(asked: string | undefined, vendor: VendorRecord, record: EnrolmentRecord | undefined): string {
  const arc = penArc(vendor.pen)
  if (asked !== undefined && asked !== arc && !asked.startsWith(`${arc}.`)) throw new Refusal('invalid', `the hwType of the request is not below ${arc}`)
  if (record?.certificate && asked !== undefined && asked !== record.hwType) throw new Refusal('invalid', 'the hwType of the request is not the one of this device')
  return asked ?? record?.hwType ?? hwTypeOf(vendor.pen)
}

/** SEP-227: Subject and subjectAltName of the request equal those of the current certificate. */
export function otherIdentity(request: Parameters<typeof hardwareModuleName>[0] & { readonly subject: { readonly raw: Buffer } }, current: CertificateView): string | undefined {
  if (!request.subject.raw.equals(current.subject.raw)) return 'the Subject of the request is not that of the current certificate'
  const san = (of: Pick<CertificateView, 'extensions'>): Buffer | undefined => of.extensions.find((e) => e.oid === Oid.subjectAltName)?.value
  const [wanted, own] = [san(request), san(current)]
  return wanted && own && wanted.equals(own) ? undefined : 'the subjectAltName of the request is not that of the current certificate'
}

/** The last third of a finite life. */
export const endsSoon = (current: CertificateView, nowMs: number): boolean => nowMs > current.notAfterMs - (current.notAfterMs - current.notBeforeMs) / 3

export function jobOf(row: BatchRow, vendor: VendorRecord, requester: string): Job | string {
  try {
    const base = { vendor, requester, replaces: null }
    if ('csr' in row) {
      const der = fromPem('CERTIFICATE REQUEST', row.csr)[0] ?? Buffer.from(row.csr, 'base64')
      const asked = checkDeviceRequest(der)
      return { ...base, hwType: hwTypeAskedFor(asked.hwType, vendor, undefined), hwSerialNum: serialAskedFor(asked.hwSerialNum, { kind: 'vendor', vendor }), publicKey: asked.publicKey, keyHash: asked.keyHash, csr: der.toString('base64') }
    }
    // SEP-232: a list of keys has no proof of possession; the vendor's own certificate vouches for it.
    const spki = fromPem('PUBLIC KEY', row.publicKey)[0] ?? Buffer.from(row.publicKey, 'base64')
    if (spki.length !== 91 || spki.length > longestRequest) return 'the public key is not an EC P-256 one'
    const curve = readDer(spki).children[0]?.children[1]?.content.toString('hex')
    const key = { spki, algorithm: Oid.ecPublicKey, curve: Oid.prime256v1 }
    if (curve !== '2a8648ce3d030107') return 'the public key is not an EC P-256 one'
    publicKeyOf(key)
    const why = guessableKey(key)
    if (why) return `the key is refused: ${why}`
    return { ...base, hwType: hwTypeAskedFor(row.hwType, vendor, undefined), hwSerialNum: checkSerial(row.hwSerialNum), publicKey: spki, keyHash: keyHashOf(spki), csr: null }
  } catch (error) {
    if (isRefusal(error)) return error.message
    throw error
  }
}
