import { indefinite } from '#certs/authority.js'
import {
  altNames, authorityKeyIdentifier, basicConstraints, extension, extKeyUsage, hardwareModuleName, keyUsage, nameText, policies, publicKeyOf, signatureHolds, subjectKeyIdentifier,
} from '#certs/x509/certificate.js'
import type { CertificateView } from '#certs/x509/certificate.js'
import { Oid, Policy } from '#certs/x509/oid.js'
import { fingerprintsOf } from '#certs/profile/spelling.js'
import { isoOf } from '#certs/profile/rule.js'
import type { Examined, Rule } from '#certs/profile/rule.js'

/** The device profile of IEEE 2030.5-2018 §6.11.8 as rules; node:tls checks few of them (SEP-006). */
const p256 = (of: CertificateView): boolean => of.key.algorithm === Oid.ecPublicKey && of.key.curve === Oid.prime256v1
const selfSigned = (of: CertificateView): boolean => of.issuer.raw.equals(of.subject.raw)
const deviceTypes: readonly string[] = [Policy.generic, Policy.postManufacture]
const known: readonly string[] = Object.values(Policy)
const mayBeCritical: readonly string[] = [Oid.keyUsage, Oid.basicConstraints, Oid.certificatePolicies, Oid.subjectAltName]
const within = (of: CertificateView, nowMs: number): boolean => of.notBeforeMs <= nowMs && nowMs <= of.notAfterMs

const reissue = 'Ask the manufacturer for a certificate with the IEEE 2030.5 device profile, or enrol the device over EST.'

export const deviceRules: readonly Rule[] = [
  {
    rule: 'version', clause: 'SEP-201; RFC 5280 §4.1.2.1', remedy: reissue,
    fails: ({ leaf }) => leaf.version === 3 ? undefined : `The certificate has version ${leaf.version}; only X.509 version 3 is allowed.`,
  },
  {
    rule: 'keyAlgorithm', clause: 'SEP-201; IEEE 2030.5-2018 §6.11.8.3', remedy: 'Make a new key with curve P-256 (openssl ecparam -name prime256v1 -genkey) and enrol again.',
    fails({ leaf }) {
      if (!p256(leaf)) return leaf.key.algorithm === Oid.rsaEncryption ? 'The key is RSA; only EC P-256 is allowed.' : `The key is not EC P-256 (algorithm ${leaf.key.algorithm}, curve ${leaf.key.curve ?? 'none'}).`
      try { publicKeyOf(leaf.key); return undefined } catch { return 'The public key is not a point of P-256.' }
    },
  },
  {
    rule: 'signatureAlgorithm', clause: 'SEP-201; IEEE 2030.5-2018 §6.11.8.3', remedy: 'The issuing CA must sign with ecdsa-with-SHA256.',
    fails: ({ leaf }) => leaf.signatureAlgorithm === Oid.ecdsaWithSHA256
      ? undefined : `The certificate is signed with ${leaf.signatureAlgorithm}; only ecdsa-with-SHA256 is allowed.`,
  },
  {
    rule: 'notBefore', clause: 'SEP-005; RFC 5280 §4.1.2.5', remedy: 'Check the clock of the CA and of this server; wait, or have the certificate issued again.',
    fails: ({ leaf, nowMs }) => nowMs < leaf.notBeforeMs ? `The certificate is valid only from ${isoOf(leaf.notBeforeMs)}; now it is ${isoOf(nowMs)}.` : undefined,
  },
  {
    rule: 'notAfter', clause: 'SEP-005; RFC 5280 §4.1.2.5', remedy: 'Enrol the device again for a new certificate; its EndDevice is re-keyed to the new LFDI.',
    fails: ({ leaf, nowMs }) => nowMs > leaf.notAfterMs ? `The certificate expired at ${isoOf(leaf.notAfterMs)}; now it is ${isoOf(nowMs)}.` : undefined,
  },
  {
    rule: 'indefinite', clause: 'SEP-202; IEEE 2030.5-2018 §6.11.8.3', remedy: `${reissue} Issuers with finite certificates can be allowed by the leniency switch finiteNotAfter.`,
    fails: ({ leaf, leniency }) => leaf.notAfterMs === indefinite || leniency.finiteNotAfter ? undefined : `notAfter is ${isoOf(leaf.notAfterMs)}; a device certificate ends at 99991231235959Z.`,
  },
  {
    rule: 'subject', clause: 'SEP-202; IEEE 2030.5-2018 §6.11.8.3', remedy: `${reissue} Issuers with names can be allowed by the leniency switch subject.`,
    // Interpretation: what signs itself has its Subject as issuer, and RFC 5280 §4.1.2.4 wants that one named: a pinned certificate may have either (SEP-208).
    fails: (e) => e.leaf.subject.empty || e.leniency.subject || isPinned(e) ? undefined : `The Subject is "${nameText(e.leaf.subject)}"; a device certificate has an empty one.`,
  },
  {
    rule: 'hardwareModuleName', clause: 'SEP-202; RFC 4108 §5', remedy: `${reissue} The name goes into subjectAltName as an otherName with hwType and hwSerialNum.`,
    fails({ leaf, leniency }) {
      const names = altNames(leaf)
      if (leniency.dnsName && names.some((n) => n.kind === 'dNSName' || n.hardware)) return undefined
      if (!hardwareModuleName(leaf)) return 'There is no hardwareModuleName in subjectAltName.'
      return names.length === 1 ? undefined : `subjectAltName has ${names.length} names; a device certificate has hardwareModuleName alone.`
    },
  },
  {
    rule: 'subjectAltNameCritical', clause: 'SEP-202; RFC 5280 §4.2.1.6', remedy: reissue,
    fails({ leaf, leniency }) {
      const san = extension(leaf, Oid.subjectAltName)
      return !san || san.critical || leniency.dnsName ? undefined : 'subjectAltName is not marked critical, which an empty Subject demands.'
    },
  },
  {
    rule: 'keyUsage', clause: 'SEP-202; IEEE 2030.5-2018 §6.11.8.3', remedy: 'The issuing CA must set keyUsage to digitalSignature and keyAgreement, critical.',
    fails({ leaf, leniency }) {
      const usage = keyUsage(leaf)
      if (!usage) return 'There is no keyUsage.'
      const lacks = ['digitalSignature', ...(leniency.keyUsage ? [] : ['keyAgreement'])].filter((u) => !usage.has(u))
      if (lacks.length > 0) return `keyUsage lacks ${lacks.join(' and ')}.`
      return extension(leaf, Oid.keyUsage)!.critical || leniency.keyUsage ? undefined : 'keyUsage is not marked critical.'
    },
  },
  {
    rule: 'certificatePolicies', clause: 'SEP-202; IEEE 2030.5-2018 §6.11.8.3', remedy: `${reissue} Issuers without policies can be allowed by the leniency switch missingPolicies.`,
    fails({ leaf, leniency }) {
      const list = policies(leaf)
      if (list.length === 0) return leniency.missingPolicies ? undefined : 'There are no certificatePolicies.'
      const foreign = list.filter((p) => !known.includes(p))
      if (foreign.length > 0) return `The policy ${foreign.join(', ')} is not one of ${Oid.sepPolicies}.`
      // Interpretation: SEP-202 "exactly one device type": generic or issued after manufacture; mobile comes in addition.
      const types = list.filter((p) => deviceTypes.includes(p))
      if (types.length !== 1) return `The policies name ${types.length} device types (${Policy.generic} or ${Policy.postManufacture}); exactly one is needed.`
      return extension(leaf, Oid.certificatePolicies)!.critical || leniency.missingPolicies ? undefined : 'certificatePolicies is not marked critical.'
    },
  },
  {
    rule: 'testPolicy', clause: 'SEP-207', remedy: 'Use a production certificate, or switch this server out of production mode for a test.',
    fails: ({ leaf, production }) => production && policies(leaf).includes(Policy.test) ? `It is a test certificate (policy ${Policy.test}) and this server is in production.` : undefined,
  },
  {
    rule: 'selfSigned', clause: 'SEP-208', remedy: 'Pin this very certificate (as a file in pki/pinned, or where LOADSTONE_CSIP_PINNED says), or use a certificate of an accepted manufacturer.',
    fails({ leaf, lfdi, pinned }) {
      const claims = policies(leaf).includes(Policy.selfSigned)
      if (!claims && !isOwnIssuer(leaf)) return undefined
      if (!claims) return `It signed itself, without the policy ${Policy.selfSigned}.`
      if (!pinned.has(lfdi)) return `It is self-signed (policy ${Policy.selfSigned}) and its LFDI ${lfdi} is not pinned in the configuration.`
      return signatureHolds(leaf.key, leaf.signatureAlgorithm, leaf.tbs, leaf.signature) ? undefined : 'Its own signature is wrong.'
    },
  },
  {
    rule: 'criticalExtension', clause: 'SEP-203; IEEE 2030.5-2018 §6.11.8.2', remedy: 'The issuing CA must not mark other extensions critical.',
    fails({ leaf }) {
      const unknown = leaf.extensions.filter((e) => e.critical && !mayBeCritical.includes(e.oid))
      return unknown.length > 0 ? `The extension ${unknown.map((e) => e.oid).join(', ')} is marked critical.` : undefined
    },
  },
  {
    rule: 'forbiddenExtension', clause: 'SEP-203; IEEE 2030.5-2018 §6.11.8.2', remedy: 'Certificates of this PKI carry neither policyMappings nor nameConstraints: have the named one issued again.',
    fails: ({ leaf, path }) => forbidden([leaf, ...path?.map((ca) => ca.view) ?? []]),
  },
  {
    rule: 'extKeyUsage', clause: 'SEP-203; RFC 5280 §4.2.1.12', remedy: 'Use the certificate of the device, not of a server; extKeyUsage is absent or allows clientAuth.',
    fails({ leaf }) {
      const purposes = extKeyUsage(leaf)
      return !purposes || purposes.includes(Oid.clientAuth) || purposes.includes(Oid.anyExtendedKeyUsage) ? undefined : `extKeyUsage allows ${purposes.join(', ')}, not clientAuth.`
    },
  },
  {
    rule: 'basicConstraints', clause: 'SEP-202; RFC 5280 §4.2.1.9', remedy: 'Present the certificate of the device, not of the CA.',
    fails: ({ leaf }) => basicConstraints(leaf)?.ca || keyUsage(leaf)?.has('keyCertSign') ? 'It is a CA certificate, not one of a device.' : undefined,
  },
  {
    rule: 'authorityKeyIdentifier', clause: 'SEP-202; RFC 5280 §4.2.1.1', remedy: reissue,
    fails: (e) => authorityKeyIdentifier(e.leaf) !== undefined || isPinned(e) || e.leniency.missingPolicies ? undefined : 'There is no authorityKeyIdentifier.',
  },
  {
    rule: 'chain', clause: 'SEP-204, SEP-205; IEEE 2030.5-2018 §6.11.8.1', remedy: 'Add the manufacturer\'s SERCA (and its MCA and MICA if devices send only their leaf) to the trust store, or send the intermediates.',
    fails: (e) => e.path || isPinned(e) ? undefined : `No chain of right signatures leads from the issuer "${nameText(e.leaf.issuer)}" to a trusted root.`,
  },
  {
    rule: 'issuer', clause: 'SEP-204; IEEE 2030.5-2018 §6.11.8.2', remedy: 'The named CA certificate must be issued again with the CA profile, or a leniency switch set for that CA.',
    fails({ path, leniency, nowMs }) {
      const wrong = path?.flatMap((ca, i) => caFaults(ca.view, i, nowMs, leniency).map((fault) => `${nameText(ca.view.subject)} ${fault}`))
      return wrong && wrong.length > 0 ? `${wrong.join('; ')}.` : undefined
    },
  },
  {
    rule: 'blocked', clause: 'SEP-213', remedy: 'An operator blocked it: ask the operator, or lift the block there (POST certificates/ID/unblock: an LFDI, or the key identifier of a CA).',
    fails({ leaf, lfdi, path, blocked }) {
      if (fingerprintsOf(leaf).some(blocked)) return `The LFDI ${lfdi} is blocked or revoked.`
      const ca = path?.find(({ view }) => blocked(subjectKeyIdentifier(view) ?? ''))
      return ca && `The issuing authority "${nameText(ca.view.subject)}" is blocked.`
    },
  },
]

const isOwnIssuer = (leaf: CertificateView): boolean => !leaf.subject.empty && selfSigned(leaf)
const isPinned = ({ leaf, lfdi, pinned }: Examined): boolean => pinned.has(lfdi) && policies(leaf).includes(Policy.selfSigned)

function forbidden(views: readonly CertificateView[]): string | undefined {
  for (const view of views) for (const [oid, name] of [[Oid.policyMappings, 'policyMappings'], [Oid.nameConstraints, 'nameConstraints']] as const) {
    if (extension(view, oid)) return `${view.subject.empty ? 'The certificate' : nameText(view.subject)} has ${name}.`
  }
  return undefined
}

/** SEP-204, for the certificate with `below` CA certificates between it and the device. */
function caFaults(ca: CertificateView, below: number, nowMs: number, leniency: Examined['leniency']): string[] {
  const faults: string[] = []
  const usage = keyUsage(ca), constraints = basicConstraints(ca)
  const critical = (oid: string): boolean => extension(ca, oid)?.critical === true
  if (!p256(ca) || ca.signatureAlgorithm !== Oid.ecdsaWithSHA256) faults.push('is not P-256 with SHA-256')
  if (!within(ca, nowMs)) faults.push(`is valid from ${isoOf(ca.notBeforeMs)} to ${isoOf(ca.notAfterMs)} only`)
  if (ca.notAfterMs !== indefinite && !leniency.finiteNotAfter) faults.push('has a finite notAfter')
  if (ca.subject.empty) faults.push('has no Subject')
  if (!constraints?.ca || !critical(Oid.basicConstraints)) faults.push('has no critical basicConstraints with CA')
  if (constraints?.pathLen !== undefined && constraints.pathLen < below) faults.push(`allows ${constraints.pathLen} CA certificates below it, not ${below}`)
  if (!usage?.has('keyCertSign') || (!leniency.keyUsage && (!usage.has('cRLSign') || !critical(Oid.keyUsage)))) faults.push('has no critical keyUsage with keyCertSign and cRLSign')
  if (!leniency.missingPolicies && (policies(ca).length === 0 || !critical(Oid.certificatePolicies))) faults.push('has no critical certificatePolicies')
  if (subjectKeyIdentifier(ca) === undefined && !leniency.missingPolicies) faults.push('has no subjectKeyIdentifier')
  const unknown = ca.extensions.filter((e) => e.critical && !mayBeCritical.includes(e.oid))
  if (unknown.length > 0) faults.push(`has the critical extension ${unknown.map((e) => e.oid).join(', ')}`)
  return faults
}
