import { lookup as resolve } from 'node:dns'
import { isIP } from 'node:net'
import { Agent, request } from 'undici'
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

/**
 * SEC-060: the name is resolved once, the address is checked, and that very address is connected to, so a name that changes its mind
 * between check and connect (DNS rebinding) gains nothing. No redirect is followed.
 */
export function guardedPost({ allows, allowHttp = false, timeout_ms = 10_000 }: GuardedPostNeeds): Outbound & {
  /** The same for receivers that speak bytes, e.g. an OCSP responder. */
  postBytes(url: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<{ status: number; body: Buffer }>
  /** For what is only fetched, e.g. a revocation list; a longer one is cut at 64 KiB. */
  getBytes(url: string, headers: Readonly<Record<string, string>>): Promise<{ status: number; body: Buffer }>
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
  async function exchange(url: string, headers: Readonly<Record<string, string>>, body?: string | Uint8Array): Promise<{ status: number; body: Buffer }> {
    const target = new URL(url), host = target.hostname.replace(/^\[|\]$/g, '')
    if (target.protocol !== 'https:' && !(allowHttp && target.protocol === 'http:')) throw new Refusal('forbidden', 'only https receivers are told')
    // a literal address is never looked up
    if (isIP(host) !== 0 && !allows(host, host)) throw refuse(host)
    const answer = await request(target, { ...(body === undefined ? { method: 'GET' } : { method: 'POST', body }), headers, dispatcher: agent, signal: AbortSignal.timeout(timeout_ms) })
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
    getBytes: (url, headers) => exchange(url, headers),
    close: () => agent.close(),
  }
}
