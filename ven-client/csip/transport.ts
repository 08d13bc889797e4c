import { Agent, buildConnector, request, type Dispatcher } from 'undici'
import type { Static, TSchema } from 'typebox'
import type { Resource } from '#core/describe/resource.js'
import { fromXml, parseXml } from '#core/describe/xml.js'
import { xmlWriter } from '#core/describe/xml-writer.js'
import { retryAfterMs } from '#ven-client/backoff.js'

export const namespace = 'urn:ieee:std:2030.5:ns'
const aus = ['https://csipaus.org/ns', 'https://csipaus.org/ns/v1.3'] as const
export const namespaces: ReadonlySet<string> = new Set([namespace, ...aus])

/** TLS 1.2 with CCM_8 first; GCM for servers in compatibility mode (SEP-002, SEP-003). SECLEVEL 0: without it Node 24 has no CCM_8. */
export const ciphers = 'ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0'

export interface CsipTransport {
  /** The DeviceCapability, out of band (SEP-014): `https://host:8443/dcap`. */
  readonly url: string
  /** PEM: this device's key, its certificate with what is above it, and the roots (and issuing CAs) to trust. */
  readonly key: string
  readonly cert: string
  readonly ca: string
  readonly timeout_ms?: number
  readonly dispatcher?: Dispatcher
  /** Wraps how a connection is opened, e.g. so that many clients on one machine take turns. */
  readonly opening?: (connector: buildConnector.connector) => buildConnector.connector
  /** Namespace of the CSIP-AUS children that we write. */
  readonly ausNamespace?: (typeof aus)[number]
}

/** What a server refused, or why it could not be asked. `reasonCode` is that of its Error body (SEP-032). */
export class CsipError extends Error {
  readonly status: number
  readonly reasonCode: number | undefined
  readonly retryAfter_ms: number | undefined

  constructor(sentence: string, status: number, options: { reasonCode?: number; retryAfter_ms?: number; cause?: unknown } = {}) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CsipError'
    this.status = status
    this.reasonCode = options.reasonCode
    this.retryAfter_ms = options.retryAfter_ms
  }
}

export interface CsipWire {
  /** Path of the DeviceCapability. */
  readonly start: string
  read<S extends TSchema>(description: Resource<S>, href: string): Promise<Static<S>>
  write(method: 'PUT' | 'POST', description: Resource, href: string, value: unknown): Promise<{ status: number; location: string | undefined }>
  remove(href: string): Promise<void>
  close(): Promise<void>
}

/** One kept-alive connection, as embedded clients have it (SEP-008). */
export function csipWire(options: CsipTransport): CsipWire {
  const at = new URL(options.url)
  const connector = buildConnector({
    key: options.key, cert: options.cert, ca: options.ca, ciphers, ecdhCurve: 'prime256v1', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2',
    // 2030.5 server certificates name hardware, not hosts: the chain to the configured roots is the proof (SEP-012)
    checkServerIdentity: () => undefined,
  })
  const dispatcher = options.dispatcher ?? new Agent({
    connections: 1, pipelining: 1, keepAliveTimeout: 900_000, keepAliveMaxTimeout: 900_000, headersTimeout: options.timeout_ms ?? 20_000, bodyTimeout: options.timeout_ms ?? 20_000,
    connect: options.opening?.(connector) ?? connector,
  })
  let reached = false
  const writers = new Map<Resource, (value: unknown) => string>()
  const writer = (description: Resource): ((value: unknown) => string) => {
    const made = writers.get(description) ?? xmlWriter(description.name, description.schema, { namespace, prefixes: { csipaus: options.ausNamespace ?? aus[0] } })
    writers.set(description, made)
    return made
  }

  async function ask(method: Dispatcher.HttpMethod, href: string, body?: string): Promise<{ status: number; location: string | undefined; text: string }> {
    const url = new URL(href, at)
    if (url.origin !== at.origin) throw new CsipError(`The link ${href} leaves the server.`, 0)
    try {
      const answer = await request(url, {
        method, dispatcher, signal: AbortSignal.timeout(options.timeout_ms ?? 20_000), ...(body === undefined ? {} : { body }),
        headers: { accept: 'application/sep+xml', ...(body === undefined ? {} : { 'content-type': 'application/sep+xml' }) },
      })
      reached = true
      const text = await answer.body.text()
      const location = answer.headers.location
      if (answer.statusCode >= 200 && answer.statusCode < 300) return { status: answer.statusCode, location: Array.isArray(location) ? location[0] : location, text }
      const retry = answer.headers['retry-after']
      const retryAfter_ms = retryAfterMs(Array.isArray(retry) ? retry[0] : retry, Date.parse(String(answer.headers.date ?? '')) || 0)
      const reasonCode = reasonOf(text)
      throw new CsipError(`The server answered ${answer.statusCode} to ${method} ${url.pathname}.`, answer.statusCode, {
        ...(reasonCode === undefined ? {} : { reasonCode }), ...(retryAfter_ms === undefined ? {} : { retryAfter_ms }),
      })
    } catch (cause) {
      if (cause instanceof CsipError) throw cause
      throw new CsipError(`The server at ${at.host} cannot be reached: ${(cause as { code?: string }).code ?? (cause as Error).message}.`, 0, { cause })
    }
  }

  return {
    start: at.pathname,
    async read(description, href) {
      const { text } = await ask('GET', href)
      const element = parseXml(text)
      if (element.name !== description.name || !namespaces.has(element.uri)) throw new CsipError(`${href} is a ${element.name.slice(0, 40)}, not a ${description.name}.`, 200)
      return fromXml(element, description.schema, namespaces) as Static<typeof description.schema>
    },
    async write(method, description, href, value) {
      const { status, location } = await ask(method, href, writer(description)(value))
      return { status, location }
    },
    async remove(href) { await ask('DELETE', href) },
    // What is under way is waited for, unless nobody has answered yet.
    close: async () => { if (!options.dispatcher) await (reached ? dispatcher.close() : dispatcher.destroy()) },
  }
}

function reasonOf(text: string): number | undefined {
  const found = /<(?:\w+:)?reasonCode>(\d{1,3})</.exec(text)
  return found ? Number(found[1]) : undefined
}
