import { certificateHash, certificatesFrom, findPath, keyHashOfView, readCertificate, trustOf, type CertificateView, type OcspAnswer } from '#certs/index.js'
import type { Ocsp, OcspQuestion } from './ocsp.js'

/** How it stands with a car's contract certificate (C07). */
export type ContractState = 'Accepted' | 'CertificateExpired' | 'CertificateRevoked' | 'CertChainError'
export type ContractCheck = (request: { readonly certificate?: string; readonly iso15118CertificateHashData?: readonly object[] }) => Promise<ContractState>

/**
 * Plug & Charge (OCPP-117): the chain to a mobility operator's root of ours, in time, and each certificate good by OCSP, live or from
 * memory. What cannot be verified is CertChainError: an answer counts only when the issuer, which must be ours or in the chain, signed it.
 */
export function contractCheck({ ocsp, roots, nowMs }: { ocsp: Ocsp; roots: readonly string[]; nowMs: () => number }): ContractCheck {
  const trust = trustOf(...roots), anchors = roots.flatMap((pem) => certificatesFrom(pem)).map((der) => readCertificate(der))

  const stateOf = (answer: OcspAnswer | undefined, issuer: CertificateView | undefined): ContractState => {
    if (!answer || !issuer || !answer.signedBy(issuer)) return 'CertChainError'
    return answer.status === 'good' ? 'Accepted' : answer.status === 'revoked' ? 'CertificateRevoked' : 'CertChainError'
  }

  function chainState(chain: readonly CertificateView[]): { state: ContractState; issuers: readonly CertificateView[] } {
    const [leaf] = chain
    const path = leaf && findPath(leaf, trust, chain.slice(1).map((c) => c.raw))
    if (!path) return { state: 'CertChainError', issuers: [] }
    const issuers = path.map((ca) => ca.view), now = nowMs()
    if ([leaf, ...issuers].some((c) => c.notAfterMs < now)) return { state: 'CertificateExpired', issuers }
    return { state: [leaf, ...issuers].some((c) => c.notBeforeMs > now) ? 'CertChainError' : 'Accepted', issuers }
  }

  /** The worst of what the responders say of the hashes; the issuer is found by the hash of its key. */
  async function hashState(hashes: readonly OcspQuestion[], issuers: readonly CertificateView[]): Promise<ContractState> {
    const states = await Promise.all(hashes.map(async (hash) => {
      const issuer = [...issuers, ...anchors].find((c) => keyHashOfView(c).key === hash.issuerKeyHash.toLowerCase())
      return stateOf((await ocsp.ask(hash))?.answer, issuer)
    }))
    return states.find((s) => s === 'CertificateRevoked') ?? states.find((s) => s !== 'Accepted') ?? 'Accepted'
  }

  return async ({ certificate, iso15118CertificateHashData: hashes }) => {
    let issuers: readonly CertificateView[] = []
    if (certificate !== undefined) {
      let chain: CertificateView[]
      try {
        chain = certificatesFrom(certificate).map((der) => readCertificate(der))
      } catch {
        return 'CertChainError'
      }
      const found = chainState(chain)
      if (found.state !== 'Accepted') return found.state
      issuers = found.issuers
      const [leaf] = chain as [CertificateView], url = responderOf(leaf)
      if (!hashes && url !== undefined && issuers[0]) return hashState([{ ...certificateHash(leaf, issuers[0]), responderURL: url }], issuers)
    }
    return hashes ? hashState(hashes as readonly OcspQuestion[], issuers) : 'Accepted'
  }
}

/** Authority information access of a certificate: its OCSP responder, an IA5 text behind the OID of OCSP. */
function responderOf(leaf: CertificateView): string | undefined {
  const access = leaf.extensions.find((e) => e.oid === '1.3.6.1.5.5.7.1.1')
  return access && /\x86.(https?:\/\/[!-~]+)/s.exec(Buffer.from(access.value).toString('latin1'))?.[1]?.replace(/[^\w\-./:%?=&~]+.*$/s, '')
}
