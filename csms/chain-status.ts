import { certificatesFrom, keyHashOfView, readCertificate } from '#certs/index.js'
import type { Ocsp, OcspQuestion } from './ocsp.js'
import { isoMs } from './time.js'

/** CertificateStatusRequestInfoType of 2.1 (M07). */
export interface ChainQuestion {
  readonly source: 'CRL' | 'OCSP'
  readonly urls: readonly string[]
  readonly certificateHashData: Omit<OcspQuestion, 'responderURL'>
}

export interface ChainStatus {
  readonly source: 'CRL' | 'OCSP'
  readonly certificateHashData: object
  readonly status: 'Good' | 'Revoked' | 'Unknown' | 'Failed'
  readonly nextUpdate: string
}

const words = { good: 'Good', revoked: 'Revoked', unknown: 'Unknown' } as const
/** When to ask again where nobody said so. */
const again_ms = 60_000

/**
 * M07 of 2.1: how it stands with each certificate of a chain. The station hears our word only and not the responder's signed one, as in M06; so
 * an answer counts only when a root or sub-CA of ours, found by the hash of its key, signed it. Interpretation: all else is Failed, with a
 * nextUpdate a minute ahead, as the field is required; so is a CRL, which this server does not fetch.
 */
export function chainStatus({ ocsp, anchors, nowMs }: { ocsp: Ocsp; anchors: readonly string[]; nowMs: () => number }): (questions: readonly ChainQuestion[]) => Promise<ChainStatus[]> {
  const issuers = anchors.flatMap((pem) => certificatesFrom(pem)).map((der) => readCertificate(der))

  async function one({ source, urls, certificateHashData }: ChainQuestion): Promise<ChainStatus> {
    const issuer = issuers.find((c) => keyHashOfView(c).key === certificateHashData.issuerKeyHash.toLowerCase())
    const { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber } = certificateHashData
    if (source === 'OCSP' && issuer) {
      for (const responderURL of urls) {
        const answer = (await ocsp.ask({ hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber, responderURL }))?.answer
        if (answer?.signedBy(issuer)) return { source, certificateHashData, status: words[answer.status], nextUpdate: isoMs(answer.nextUpdateMs ?? nowMs() + again_ms) }
      }
    }
    return { source, certificateHashData, status: 'Failed', nextUpdate: isoMs(nowMs() + again_ms) }
  }

  return (questions) => Promise.all(questions.map(one))
}
