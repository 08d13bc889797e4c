import { LRUCache } from 'lru-cache'
import { ocspRequestOf, readOcspResponse, type CertificateHash, type OcspAnswer } from '#certs/index.js'
import type { Clock, Timer } from '#core/port/clock.js'

/** A POST to a responder past the guard against addresses that are none of a station's business (SEC-060). */
export type OcspFetch = (url: string, request: Buffer) => Promise<Buffer>

export interface OcspQuestion extends CertificateHash {
  readonly responderURL: string
}

export interface Ocsp {
  /** The responder's answer, DER, from memory until its nextUpdate; undefined when there is none in 10 s (OCPP-216). */
  ask(question: OcspQuestion): Promise<{ der: Buffer; answer: OcspAnswer } | undefined>
}

const patience_ms = 10_000
/** An answer that names no nextUpdate is asked again after this long. */
const usual_ms = 60_000

export function ocsp({ fetch, clock }: { fetch: OcspFetch | undefined; clock: Clock }): Ocsp {
  const known = new LRUCache<string, { der: Buffer; answer: OcspAnswer; until: number }>({ max: 5000 })

  async function inTime<T>(work: Promise<T>): Promise<T | undefined> {
    let timer: Timer | undefined
    const late = new Promise<undefined>((done) => { timer = clock.after(patience_ms * clock.rate, () => done(undefined)) })
    try {
      return await Promise.race([work, late])
    } catch {
      // Refused, unreachable or not understood: no answer.
      return undefined
    } finally {
      timer?.cancel()
    }
  }

  return {
    async ask(question) {
      const { responderURL, ...hash } = question
      if (!fetch || !/^https?:\/\//i.test(responderURL)) return undefined
      const key = JSON.stringify(question), before = known.get(key)
      if (before && before.until > clock.nowMs()) return before
      const found = await inTime((async () => {
        const der = await fetch(responderURL, ocspRequestOf(hash))
        return { der, answer: readOcspResponse(der) }
      })())
      if (found) known.set(key, { ...found, until: found.answer.nextUpdateMs ?? clock.nowMs() + usual_ms })
      return found
    },
  }
}
