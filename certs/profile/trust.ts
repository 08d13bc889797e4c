import { basicConstraints, authorityKeyIdentifier, readCertificate, signatureHolds, subjectKeyIdentifier } from '#certs/x509/certificate.js'
import type { CertificateView } from '#certs/x509/certificate.js'
import { certificatesFrom } from '#certs/x509/pem.js'

/** What a less strict issuer is forgiven (SEP-206). All off = the profile as written. */
export interface Leniency {
  readonly subject?: boolean
  /** A dNSName in place of hardwareModuleName, SAN not critical. */
  readonly dnsName?: boolean
  readonly finiteNotAfter?: boolean
  readonly missingPolicies?: boolean
  /** keyUsage without keyAgreement, or not marked critical. Not in the list of SEP-206: a switch for one CA only, never a profile's. */
  readonly keyUsage?: boolean
}

/** What SEP-206 lists for CSIP-AUS issuers, and no more. */
export const lenient: Leniency = { subject: true, dnsName: true, finiteNotAfter: true, missingPolicies: true }

export interface TrustEntry {
  /** One or more certificates, PEM or DER: roots and intermediates alike (SEP-205). */
  readonly certificates: string | Uint8Array
  /** For devices whose chain passes through one of these. */
  readonly leniency?: Leniency
}

export interface TrustedCa {
  readonly view: CertificateView
  readonly leniency: Leniency
  /** A root: the path may end here. */
  readonly anchor: boolean
}

/** Configured authorities by subject name. Make a new one to reload (SEP-212); it is never changed. */
export interface Trust {
  bySubject(name: Buffer): readonly TrustedCa[]
  readonly all: readonly TrustedCa[]
}

export function trustOf(...entries: readonly (TrustEntry | string | Uint8Array)[]): Trust {
  const all: TrustedCa[] = entries.flatMap((entry) => {
    const { certificates, leniency = {} } = typeof entry === 'string' || entry instanceof Uint8Array ? { certificates: entry } : entry
    return certificatesFrom(certificates).map((der) => {
      const view = readCertificate(der)
      return { view, leniency, anchor: view.issuer.raw.equals(view.subject.raw) }
    })
  })
  const map = new Map<string, TrustedCa[]>()
  for (const ca of all) {
    const key = ca.view.subject.raw.toString('latin1')
    map.set(key, [...map.get(key) ?? [], ca])
  }
  return { all, bySubject: (name) => map.get(name.toString('latin1')) ?? [] }
}

/** At most SERCA, MCA and MICA above a device (SEP-204). */
const longestPath = 3
/** Certificates that a peer sends besides its leaf are looked at up to here; work stays bounded for any chain (SEC-013). */
const mostSent = 4
const mostSignatures = 24

/** Signatures between configured authorities do not change: checked once. */
const held = new WeakMap<CertificateView, WeakMap<CertificateView, boolean>>()

function signedBy(issued: CertificateView, issuer: CertificateView): boolean {
  const known = held.get(issued)?.get(issuer)
  if (known !== undefined) return known
  const holds = signatureHolds(issuer.key, issued.signatureAlgorithm, issued.tbs, issued.signature)
  if (!held.has(issued)) held.set(issued, new WeakMap())
  held.get(issued)!.set(issuer, holds)
  return holds
}

/** Issuer first, root last; undefined when no path of right signatures reaches a configured root. */
export function findPath(leaf: CertificateView, trust: Trust, sent: readonly Uint8Array[] = [], longest = longestPath): readonly TrustedCa[] | undefined {
  const offered: TrustedCa[] = []
  for (const der of sent.slice(0, mostSent)) {
    try {
      offered.push({ view: readCertificate(der), leniency: {}, anchor: false })
    } catch { /* what cannot be read cannot help */ }
  }
  let signatures = 0
  const climb = (from: CertificateView, depth: number): readonly TrustedCa[] | undefined => {
    if (depth >= longest) return undefined
    const wanted = authorityKeyIdentifier(from)
    const candidates = [...trust.bySubject(from.issuer.raw), ...offered.filter((o) => o.view.subject.raw.equals(from.issuer.raw))]
    for (const ca of candidates) {
      const own = subjectKeyIdentifier(ca.view)
      if (ca.view === from || (wanted !== undefined && own !== undefined && wanted !== own)) continue
      // RFC 5280 §4.2.1.9: only a CA may stand above; its other properties are named by the rules, one by one.
      if (!basicConstraints(ca.view)?.ca || ++signatures > mostSignatures || !signedBy(from, ca.view)) continue
      if (ca.anchor) return [ca]
      const above = climb(ca.view, depth + 1)
      if (above) return [ca, ...above]
    }
    return undefined
  }
  return climb(leaf, 0)
}
