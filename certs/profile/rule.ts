import type { CertificateView } from '#certs/x509/certificate.js'
import type { Leniency, TrustedCa } from '#certs/profile/trust.js'

/** One failing rule, for a person: what is wrong, by which clause, what to do. */
export interface Failure {
  readonly rule: string
  readonly clause: string
  readonly sentence: string
  readonly remedy: string
}

export interface Examined {
  readonly leaf: CertificateView
  readonly lfdi: string
  /** Issuer first, root last; undefined when no path was found. */
  readonly path: readonly TrustedCa[] | undefined
  readonly leniency: Leniency
  readonly nowMs: number
  /** Test certificates are refused (SEP-207). */
  readonly production: boolean
  /** LFDIs of self-signed certificates that the configuration names (SEP-208). */
  readonly pinned: ReadonlySet<string>
  /** Operator's blocks: an LFDI, or the key identifier of an issuing or root CA (SEP-213). */
  readonly blocked: (id: string) => boolean
}

export interface Rule {
  readonly rule: string
  readonly clause: string
  readonly remedy: string
  /** A sentence when the certificate fails the rule. */
  readonly fails: (examined: Examined) => string | undefined
}

export function failuresOf(rules: readonly Rule[], examined: Examined): Failure[] {
  return rules.flatMap(({ rule, clause, remedy, fails }) => {
    const sentence = fails(examined)
    return sentence === undefined ? [] : [{ rule, clause, sentence, remedy }]
  })
}

export const isoOf = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')
