import { lookup as resolve, type LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import { Agent, request } from 'undici'
import { Refusal } from '#core/error.js'
import type { AddressRule } from '#vtn/webhook/address.js'

export interface Sent {
  readonly status: number
  readonly body: string
}

/** The way out to other people's receivers: resolved, checked, connected to the checked address, no redirects, small answers (SEC-060). */
export interface Outbound {
  get(url: string, headers: Readonly<Record<string, string>>): Promise<Sent>
  post(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<Sent>
  close(): Promise<void>
}

const largestAnswer = 16_384

type Lookup = (host: string, options: object, callback: (error: Error | null, addresses: LookupAddress[]) => void) => void
const system: Lookup = (host, options, callback) => resolve(host, { ...options, all: true }, (error, addresses) => callback(error, addresses ?? []))

export function outbound(needs: { rule: AddressRule; allowHttp: boolean; timeout_ms: number; lookup?: Lookup; ca?: string }): Outbound {
  const { rule, timeout_ms } = needs
  const find = needs.lookup ?? system
  /** Runs at connect, so a name that changes between check and use is caught (DNS rebinding). */
  const guarded = (host: string, options: { all?: boolean }, callback: (error: Error | null, address: unknown, family?: number) => void): void => {
    find(host, options, (error, addresses) => {
      if (error) return callback(error, '')
      const good = addresses.filter((a) => rule.allows(host, a.address))
      const [first] = good
      // One forbidden address among several makes the name suspect as a whole.
      if (!first || good.length !== addresses.length) return callback(new Refusal('invalid', `${host} resolves to an address that webhooks may not reach`), '')
      if (options.all) return callback(null, good)
      return callback(null, first.address, first.family)
    })
  }
  const agent = new Agent({
    connect: { lookup: guarded as never, timeout: timeout_ms, ...(needs.ca ? { ca: needs.ca } : {}) }, connections: 32, pipelining: 1,
    headersTimeout: timeout_ms, bodyTimeout: timeout_ms, keepAliveTimeout: 10_000, maxResponseSize: largestAnswer,
  })

  /** A literal address never reaches `lookup`, so it is checked here; decimal and octal hosts were normalised by URL. */
  function checked(text: string): URL {
    const url = new URL(text)
    if (url.protocol !== 'https:' && !(needs.allowHttp && url.protocol === 'http:')) throw new Refusal('invalid', 'callbackUrl must be https (OA-120)')
    if (url.username || url.password) throw new Refusal('invalid', 'callbackUrl must not carry credentials')
    const host = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) && !rule.allows(host, host)) throw new Refusal('invalid', `${host} is an address that webhooks may not reach (OA-128)`)
    return url
  }

  async function send(method: 'GET' | 'POST', text: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Sent> {
    const answer = await request(checked(text), { method, dispatcher: agent, headers, ...(body === undefined ? {} : { body }), signal: AbortSignal.timeout(timeout_ms) })
    return { status: answer.statusCode, body: await answer.body.text().catch(() => '') }
  }

  return {
    get: (url, headers) => send('GET', url, headers),
    post: (url, body, headers) => send('POST', url, headers, body),
    close: () => agent.destroy(),
  }
}
