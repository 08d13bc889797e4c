import { certificatesFrom, isListed, keyHashOfView, readCertificate, type CertificateView } from '#certs/index.js'
import type { Crls } from './crl.js'
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

interface Standing {
  readonly status: ChainStatus['status']
  readonly nextUpdateMs: number | undefined
}

const words = { good: 'Good', revoked: 'Revoked', unknown: 'Unknown' } as const
/** When to ask again where nobody said so. */
const again_ms = 60_000

/**
 * M07 of 2.1: how it stands with each certificate of a chain, by OCSP or by revocation list as the station asks. The station hears our word only
 * and not the signed one, as in M06; so it counts only when a root or sub-CA of ours, found by the hashes of its name and key, signed it.
 * Interpretation: all else is Failed, with a nextUpdate a minute ahead, as the field is required.
 */
export function chainStatus({ ocsp, crls, anchors, nowMs }: { ocsp: Ocsp; crls: Crls; anchors: readonly string[]; nowMs: () => number }): (questions: readonly ChainQuestion[]) => Promise<ChainStatus[]> {
  const issuers = anchors.flatMap((pem) => certificatesFrom(pem)).map((der) => readCertificate(der))

  async function at(url: string, { source, certificateHashData: c }: ChainQuestion, issuer: CertificateView): Promise<Standing | undefined> {
    if (source === 'CRL') {
      const list = await crls.read(url, issuer)
      return list && { status: isListed(list, c.serialNumber) ? 'Revoked' : 'Good', nextUpdateMs: list.nextUpdateMs }
    }
    const { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber } = c
    const answer = (await ocsp.ask({ hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber, responderURL: url }))?.answer
    return answer?.signedBy(issuer) ? { status: words[answer.status], nextUpdateMs: answer.nextUpdateMs } : undefined
  }

  async function one(question: ChainQuestion): Promise<ChainStatus> {
    const { source, urls, certificateHashData: c } = question
    const issuer = issuers.find((i) => {
      const { name, key } = keyHashOfView(i, c.hashAlgorithm)
      return key === c.issuerKeyHash.toLowerCase() && name === c.issuerNameHash.toLowerCase()
    })
    for (const url of issuer ? urls : []) {
      const found = await at(url, question, issuer as CertificateView)
      if (found) return { source, certificateHashData: c, status: found.status, nextUpdate: isoMs(found.nextUpdateMs ?? nowMs() + again_ms) }
    }
    return { source, certificateHashData: c, status: 'Failed', nextUpdate: isoMs(nowMs() + again_ms) }
  }

  return (questions) => Promise.all(questions.map(one))
}
