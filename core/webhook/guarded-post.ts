import { lookup as resolve } from 'node:dns'
import { isIP } from 'node:net'
import { Agent, request, type Dispatcher } from 'undici'
import { Refusal } from '#core/error.js'
import type { Outbound } from '#core/port/outbound.js'

export interface GuardedPostNeeds {
  /** May this address be connected to for this host name? */
  allows(host: string, address: string): boolean
  /** Plain http is for development and tests. */
  readonly allowHttp?: boolean
  readonly timeout_ms?: number
}

const mostBytes = 65_536
/** Bytes of answers longer than that, of all exchanges together: what senders can make us hold (SEC-040). */
const mostHeld = 32 * 2 ** 20

/**
 * SEC-060: the name is resolved once, the address is checked, and that very address is connected to, so a name that changes its mind
 * between check and connect (DNS rebinding) gains nothing. No redirect is followed.
 */
export function guardedPost({ allows, allowHttp = false, timeout_ms = 10_000 }: GuardedPostNeeds): Outbound & {
  /** The same for receivers that speak bytes, e.g. an OCSP responder. */
  postBytes(url: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<{ status: number; body: Buffer }>
  /** For what is only fetched, e.g. a revocation list. One longer than `most` bytes is refused (`tooLarge`), half of it being of no use. */
  getBytes(url: string, headers: Readonly<Record<string, string>>, most: number): Promise<{ status: number; body: Buffer }>
  close(): Promise<void>
} {
  const refuse = (host: string): Refusal => new Refusal('forbidden', `${host} may not be reached from this server`)
  const agent = new Agent({
    connect: {
      timeout: timeout_ms,
      lookup(host, options, done) {
        resolve(host, { ...options, all: true }, (error, addresses) => {
          if (error) return done(error, '', 4)
          const good = addresses.filter((a) => allows(host, a.address))
          if (good.length !== addresses.length || good.length === 0) return done(refuse(host), '', 4)
          const first = good[0]!
          if ((options as { all?: boolean }).all) (done as unknown as (e: null, list: typeof good) => void)(null, good)
          else done(null, first.address, first.family)
        })
      },
    },
    headersTimeout: timeout_ms, bodyTimeout: timeout_ms, connections: 8,
  })
  let held = 0
  /** All of an answer of at most so many bytes; what is longer, or too much beside the others, is let go at once. */
  async function whole({ body, headers }: Dispatcher.ResponseData, most: number): Promise<Buffer> {
    const said: Buffer[] = [], refused = (kind: 'tooLarge' | 'unavailable', why: string): Refusal => { body.destroy(); return new Refusal(kind, why) }
    if (Number(headers['content-length'] ?? 0) > most) throw refused('tooLarge', `the answer is longer than ${most} bytes`)
    let size = 0
    try {
      for await (const chunk of body) {
        const { length } = chunk as Buffer
        said.push(chunk as Buffer)
        size += length
        held += length
        if (size > most) throw refused('tooLarge', `the answer is longer than ${most} bytes`)
        if (size > mostBytes && held > mostHeld) throw refused('unavailable', 'too many long answers are on their way')
      }
      return Buffer.concat(said)
    } finally {
      held -= size
    }
  }
  async function exchange(url: string, headers: Readonly<Record<string, string>>, body?: string | Uint8Array, most?: number): Promise<{ status: number; body: Buffer }> {
    const target = new URL(url), host = target.hostname.replace(/^\[|\]$/g, '')
    if (target.protocol !== 'https:' && !(allowHttp && target.protocol === 'http:')) throw new Refusal('forbidden', 'only https receivers are told')
    // a literal address is never looked up
    if (isIP(host) !== 0 && !allows(host, host)) throw refuse(host)
    const answer = await request(target, { ...(body === undefined ? { method: 'GET' } : { method: 'POST', body }), headers, dispatcher: agent, signal: AbortSignal.timeout(timeout_ms) })
    if (most !== undefined) return { status: answer.statusCode, body: await whole(answer, most) }
    const said: Buffer[] = []
    let size = 0
    for await (const chunk of answer.body) {
      said.push(chunk as Buffer)
      size += (chunk as Buffer).length
      if (size > mostBytes) {
        answer.body.destroy()
        break
      }
    }
    return { status: answer.statusCode, body: Buffer.concat(said).subarray(0, mostBytes) }
  }
  return {
    async post(url, headers, body) {
      const { status, body: said } = await exchange(url, headers, body)
      return { status, body: said.toString('utf8') }
    },
    postBytes: exchange,
    getBytes: (url, headers, most) => exchange(url, headers, undefined, most),
    close: () => agent.close(),
  }
}
