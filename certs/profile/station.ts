import { isRefusal } from '#core/error.js'
import { lfdiOf } from '#certs/lfdi.js'
import { failuresOf, isoOf } from '#certs/profile/rule.js'
import { fingerprintsOf } from '#certs/profile/spelling.js'
import type { Failure, Rule } from '#certs/profile/rule.js'
import { findPath } from '#certs/profile/trust.js'
import type { Trust } from '#certs/profile/trust.js'
import { attributeOf, basicConstraints, extension, nameText, publicKeyOf, readCertificate, signatureHolds } from '#certs/x509/certificate.js'
import type { CertificateView, KeyView } from '#certs/x509/certificate.js'
import { Oid } from '#certs/x509/oid.js'

/** Why a key is too weak for OCPP, or undefined: RSA from 2048, EC from 224 bits (OCPP 2.0.1 Part 2 A00.FR.505/506). */
export function weakKey(key: KeyView): string | undefined {
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKeyOf(key)
    if (type === 'rsa') {
      if ((details?.modulusLength ?? 0) < 2048) return `an RSA key of ${details?.modulusLength} bits`
      return (details?.publicExponent ?? 0n) < 65537n ? `an RSA key with exponent ${details?.publicExponent}` : undefined
    }
    if (type === 'ec') return strongCurves.has(details?.namedCurve ?? '') ? undefined : `the curve ${details?.namedCurve}`
    return `a key of type ${type}`
  } catch {
    return 'a broken public key'
  }
}

const strongCurves = new Set(['secp224r1', 'prime256v1', 'secp384r1', 'secp521r1', 'brainpoolP256r1', 'brainpoolP384r1'])
const strongSignature = /^1\.2\.840\.(10045\.4\.3\.[234]|113549\.1\.1\.1[123])$/
const inTime = (view: CertificateView, nowMs: number): boolean => view.notBeforeMs <= nowMs && nowMs <= view.notAfterMs

export interface StationCheck {
  readonly trust: Trust
  readonly nowMs: number
  /** The identity that the URL claims, or the registered serial number: must be the CN (OCPP-029, SEC-004). */
  readonly serialNumber?: string
  readonly organization?: string
  readonly sent?: readonly Uint8Array[]
  readonly blocked?: (id: string) => boolean
  /** A station flagged so may come with an expired certificate to get a new one (OCPP-030). */
  readonly acceptExpired?: boolean
}

export interface AcceptedStation {
  readonly ok: true
  readonly commonName: string
  readonly fingerprint: string
  readonly expired: boolean
  readonly notAfterMs: number
}

/** Path validation of a charging station's certificate (OCPP-027); extKeyUsage is not demanded (OCPP-032). */
export function checkStationCertificate(der: Uint8Array, check: StationCheck): AcceptedStation | { readonly ok: false; readonly failures: readonly Failure[] } {
  try {
    const leaf = readCertificate(der), fingerprint = lfdiOf(der)
    const path = findPath(leaf, check.trust, check.sent, 5)
    const failures = failuresOf(stationRules(check), {
      leaf, lfdi: fingerprint, path, leniency: {}, nowMs: check.nowMs, production: true, pinned: new Set(), blocked: check.blocked ?? (() => false),
    })
    if (failures.length > 0) return { ok: false, failures }
    return { ok: true, commonName: attributeOf(leaf.subject, Oid.commonName) ?? '', fingerprint, expired: check.nowMs > leaf.notAfterMs, notAfterMs: leaf.notAfterMs }
  } catch (error) {
    if (!isRefusal(error)) throw error
    return { ok: false, failures: [{ rule: 'malformed', clause: 'RFC 5280 §4.1', sentence: `The certificate cannot be read: ${error.message}.`, remedy: 'Send one DER certificate, strictly encoded.' }] }
  }
}

const stationRules = (check: StationCheck): readonly Rule[] => [
  {
    rule: 'key', clause: 'OCPP 2.0.1 Part 2 A00.FR.505', remedy: 'Make a new key: RSA from 2048 bits or EC P-256.',
    fails: ({ leaf }) => { const weak = weakKey(leaf.key); return weak && `The certificate holds ${weak}.` },
  },
  {
    rule: 'signatureAlgorithm', clause: 'OCPP 2.0.1 Part 2 A00.FR.507', remedy: 'The CA must sign with SHA-256 or better.',
    fails: ({ leaf, path }) => [leaf, ...path?.slice(0, -1).map((ca) => ca.view) ?? []].every((v) => strongSignature.test(v.signatureAlgorithm))
      ? undefined : 'A signature of the chain is weaker than SHA-256.',
  },
  {
    rule: 'notBefore', clause: 'OCPP 2.0.1 Part 2 A00.FR.403; RFC 5280 §4.1.2.5', remedy: 'Check the clocks, or have it issued again.',
    fails: ({ leaf, nowMs }) => nowMs < leaf.notBeforeMs ? `The certificate is valid only from ${isoOf(leaf.notBeforeMs)}.` : undefined,
  },
  {
    rule: 'notAfter', clause: 'OCPP 2.0.1 Part 2 A00.FR.403; RFC 5280 §4.1.2.5', remedy: 'Renew it (TriggerMessage SignChargingStationCertificate), or flag the station acceptExpired.',
    fails: ({ leaf, nowMs }) => nowMs > leaf.notAfterMs && !check.acceptExpired ? `The certificate expired at ${isoOf(leaf.notAfterMs)}.` : undefined,
  },
  {
    rule: 'commonName', clause: 'OCPP 2.0.1 Part 2 A00.FR.509, B01.FR.11', remedy: 'The CN must be the serial number of the station.',
    fails({ leaf }) {
      const name = attributeOf(leaf.subject, Oid.commonName)
      return check.serialNumber === undefined || name === check.serialNumber ? undefined : `The CN is "${name ?? ''}", not the station's serial number.`
    },
  },
  {
    rule: 'organizationName', clause: 'OCPP 2.0.1 Part 2 A00.FR.508', remedy: 'O must be the name of the charging station operator.',
    fails({ leaf }) {
      const name = attributeOf(leaf.subject, Oid.organizationName)
      return check.organization === undefined || name === check.organization ? undefined : `O is "${name ?? ''}", not "${check.organization}".`
    },
  },
  {
    rule: 'basicConstraints', clause: 'RFC 5280 §4.2.1.9', remedy: 'Present the certificate of the station, not of the CA.',
    fails: ({ leaf }) => basicConstraints(leaf)?.ca ? 'It is a CA certificate.' : undefined,
  },
  {
    rule: 'criticalExtension', clause: 'RFC 5280 §4.2', remedy: 'Leave it out, or mark it not critical.',
    fails({ leaf, path }) {
      const unknown = [leaf, ...path?.map((ca) => ca.view) ?? []].flatMap((v) => v.extensions).filter((e) => e.critical && !understood.includes(e.oid))
      return unknown.length > 0 ? `The extension ${unknown.map((e) => e.oid).join(', ')} is marked critical and not understood.` : undefined
    },
  },
  {
    rule: 'chain', clause: 'OCPP 2.0.1 Part 2 A00.FR.403', remedy: 'Install the root of that issuer, or let the built-in CA issue the certificate.',
    fails({ leaf, path, nowMs }) {
      if (!path) return `No chain of right signatures leads from "${nameText(leaf.issuer)}" to a trusted root.`
      const wrong = path.find(({ view }, i) => {
        const constraints = basicConstraints(view)
        return !inTime(view, nowMs) || weakKey(view.key) !== undefined || (constraints?.pathLen ?? i) < i || extension(view, Oid.nameConstraints) !== undefined
      })
      return wrong && `The authority "${nameText(wrong.view.subject)}" is expired, too weak, or may not stand there.`
    },
  },
  {
    rule: 'blocked', clause: 'OCPP-027; SEC-007', remedy: 'The operator revoked it: issue a new one.',
    fails: ({ leaf, path, blocked }) => fingerprintsOf(leaf, path?.[0]?.view.key.curve).some(blocked) ? 'The certificate is revoked.' : undefined,
  },
]

const understood: readonly string[] = [Oid.keyUsage, Oid.basicConstraints, Oid.certificatePolicies, Oid.subjectAltName, Oid.extKeyUsage, Oid.authorityKeyIdentifier, Oid.subjectKeyIdentifier]

/** Proof of possession and key strength of a request are the same question for every CA. */
export const provesPossession = (request: { readonly key: KeyView; readonly signatureAlgorithm: string; readonly info: Buffer; readonly signature: Buffer }): boolean =>
  signatureHolds(request.key, request.signatureAlgorithm, request.info, request.signature)
