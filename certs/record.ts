/** What the certificate room keeps, as documents (core/port/store/document.ts). */
export const Kind = {
  vendor: 'certs/Vendor',
  secret: 'certs/Secret',
  enrolment: 'certs/Enrolment',
  certificate: 'certs/Certificate',
  key: 'certs/Key',
  block: 'certs/Block',
} as const

/**
 * One issued certificate. Document id = serial number (hex), key = LFDI once signed, sort1 = notAfter in epoch ms.
 * `signing`: what is to be signed is stored, the signature is not; on a repeated request the same bytes are signed.
 */
export interface CertificateRecord {
  readonly serial: string
  readonly state: 'signing' | 'valid' | 'superseded' | 'revoked'
  /** Base64 DER: of the whole certificate, or while signing of its to-be-signed part. */
  readonly der: string
  readonly lfdi: string | null
  readonly sfdi: number | null
  readonly pin: number
  readonly vendor: string
  readonly hwType: string
  readonly hwSerialNum: string
  readonly keyHash: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly requester: string
  readonly issuedAtMs: number
  /** LFDI that this one replaces (SEP-233). */
  readonly replaces: string | null
  readonly revokedAtMs: number | null
  readonly reason: string | null
}

/** Document id = name. */
export interface VendorRecord {
  readonly name: string
  /** IANA private enterprise number: hwType of its devices is below 1.3.6.1.4.1.PEN. */
  readonly pen: number
  /** LFDI-like fingerprints of the client certificates that speak for it. */
  readonly fingerprints: readonly string[]
  /** `manual`: an operator decides on each request (SEP-226). */
  readonly approval: 'automatic' | 'manual'
  /** Policy .1.1 or .1.3 (SEP-225). */
  readonly policy: 'factory' | 'postManufacture'
  readonly active: boolean
}

/** Document id = digest of the secret: the secret itself is not kept (SEC-024). */
export interface SecretRecord {
  readonly vendor: string
  readonly hwSerialNum: string
  readonly expiresAtMs: number
  /** Key that used it; from then on it speaks for that key only, so that a lost answer can be asked for again. */
  readonly usedFor: string | null
}

/** Document id = vendor/hwSerialNum: one device of one vendor. */
export interface EnrolmentRecord {
  readonly vendor: string
  readonly hwType: string
  readonly hwSerialNum: string
  readonly state: 'expected' | 'pending' | 'approved' | 'rejected' | 'issuing' | 'issued'
  readonly pin: number
  readonly keyHash: string | null
  /** Base64 DER of the request that waits or was answered. */
  readonly csr: string | null
  readonly certificate: string | null
  readonly requester: string
  readonly decidedBy: string | null
  readonly reason: string | null
}

/** Document id = SHA-256 of the public key: a key belongs to one device for ever (SEC-021). */
export interface KeyRecord {
  readonly vendor: string
  readonly hwSerialNum: string
  readonly compromised: boolean
}

/** Document id = LFDI of a certificate or key identifier of a CA. */
export interface BlockRecord {
  readonly id: string
  readonly what: 'certificate' | 'authority'
  readonly reason: string
  readonly by: string
  readonly fromMs: number
}

export const enrolmentId = (vendor: string, hwSerialNum: string): string => `${vendor}/${hwSerialNum}`

export const enrolmentDocument = (tenant: string, body: EnrolmentRecord) =>
  ({ tenant, kind: Kind.enrolment, id: enrolmentId(body.vendor, body.hwSerialNum), parent: body.vendor, key: body.hwSerialNum, body })
export const certificateDocument = (tenant: string, body: CertificateRecord) =>
  ({ tenant, kind: Kind.certificate, id: body.serial, parent: '', key: body.lfdi, owner: body.hwSerialNum, sort1: body.notAfterMs, body })
