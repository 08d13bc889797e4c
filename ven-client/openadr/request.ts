import { Agent, request, type Dispatcher } from 'undici'
import type { Clock } from '#core/port/clock.js'
import { backoff, retryAfterMs } from '#ven-client/backoff.js'
import { silent, type Log } from '#ven-client/log.js'
import { isVtnError, kindOf, mayRetry, VtnError } from '#ven-client/openadr/error.js'
import { randomFrom } from '#ven-client/random.js'

/** Where and how requests go. Only `url` is needed. */
export interface Transport {
  /** Base path of the VTN, for example `https://vtn.example/openadr3/3.1.1`. */
  readonly url: string
  /** PEM of a private CA to trust instead of the public ones (OA-003 a). */
  readonly ca?: string
  /** Do not check the VTN's certificate (OA-003 b); warned about. */
  readonly insecure?: boolean
  /** A shared pool of connections; many VENs of one process can use one. */
  readonly dispatcher?: Dispatcher
  readonly timeout_ms?: number
  /** Attempts for one request, the first included. */
  readonly attempts?: number
  readonly maxBody_bytes?: number
}

export interface RequestNeeds {
  readonly clock: Clock
  readonly log?: Log
  readonly random?: () => number
  /** Told the VTN's own time, as each answer carries it (OA-211). */
  readonly onServerTime?: (ms: number) => void
}

export interface Ask {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>
  readonly json?: unknown
  readonly form?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  readonly attempts?: number
}

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly etag: string | undefined
}

export type Requester = ((ask: Ask) => Promise<Answer>) & { close(): Promise<void> }

/** OpenADR's array parameters are repeated, so a comma inside a target survives (OA-060). */
export function queryText(query: Ask['query'] = {}): string {
  const out = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value as readonly string[] : [value]) out.append(name, String(one))
  }
  const text = out.toString()
  return text === '' ? '' : `?${text}`
}

export function requester(transport: Transport, needs: RequestNeeds): Requester {
  const base = transport.url.replace(/\/+$/, '')
  const { clock, log = silent } = needs
  const random = needs.random ?? randomFrom(base)
  if (base.startsWith('http:') || transport.insecure) log.warn({ url: base }, 'the VTN is not verified: for development only (OA-001, OA-003)')
  const dispatcher = transport.dispatcher ?? new Agent({
    connections: 4, pipelining: 1, keepAliveTimeout: 60_000,
    connect: { minVersion: 'TLSv1.2', ...(transport.ca ? { ca: transport.ca } : {}), ...(transport.insecure ? { rejectUnauthorized: false } : {}) },
  })
  let warnedOfClock = false

  function heard(date: string | undefined): number {
    const ms = date === undefined ? Number.NaN : Date.parse(date)
    if (Number.isNaN(ms)) return clock.nowMs()
    const away = Math.abs(ms - clock.nowMs())
    needs.onServerTime?.(ms)
    if (!warnedOfClock && !needs.onServerTime && away > 5000) {
      warnedOfClock = true
      log.warn({ away_ms: away, clause: 'OA-211' }, 'our clock and the VTN differ by more than 5 s')
    }
    return ms
  }

  async function once(ask: Ask): Promise<Answer> {
    const body = ask.form ? new URLSearchParams(ask.form).toString() : ask.json === undefined ? undefined : JSON.stringify(ask.json)
    const url = (/^https?:/.test(ask.path) ? ask.path : base + ask.path) + queryText(ask.query)
    const limit = AbortSignal.timeout(transport.timeout_ms ?? 15_000)
    const signal = ask.signal ? AbortSignal.any([ask.signal, limit]) : limit
    try {
      const response = await request(url, {
        method: ask.method, dispatcher, signal, body: body ?? null,
        headers: {
          accept: 'application/json',
          ...(ask.form ? { 'content-type': 'application/x-www-form-urlencoded' } : body === undefined ? {} : { 'content-type': 'application/json' }),
          ...ask.headers,
        },
      })
      const serverNow = heard(one(response.headers.date))
      const text = await bounded(response.body, transport.maxBody_bytes ?? 16 * 1024 * 1024)
      return read(response.statusCode, response.headers, text, serverNow)
    } catch (cause) {
      if (isVtnError(cause)) throw cause
      if (ask.signal?.aborted) throw new VtnError('aborted', 'The request was given up by the caller.', { cause })
      if (limit.aborted) throw new VtnError('timeout', `The VTN did not answer ${ask.method} ${ask.path} in time.`, { cause })
      throw new VtnError('unreachable', `The VTN at ${base} cannot be reached: ${(cause as { code?: string }).code ?? (cause as Error).message}.`, { cause })
    }
  }

  const send = async (ask: Ask): Promise<Answer> => {
    const wait = backoff(random, { base_ms: 500, cap_ms: 30_000 })
    const attempts = ask.attempts ?? transport.attempts ?? 4
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(ask)
      } catch (error) {
        if (!isVtnError(error) || attempt >= attempts || !mayRetry(error, ask.method)) throw error
        log.debug({ method: ask.method, path: ask.path, attempt, kind: error.kind }, 'will try again')
        await pause(clock, wait.next(error.retryAfter_ms), ask.signal)
      }
    }
  }
  return Object.assign(send, { close: async () => { if (!transport.dispatcher) await dispatcher.close() } })
}

const one = (header: string | string[] | undefined): string | undefined => Array.isArray(header) ? header[0] : header

async function bounded(body: AsyncIterable<Buffer>, max: number): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > max) throw new VtnError('protocol', 'The VTN sent more than this client accepts.')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function read(status: number, headers: Record<string, string | string[] | undefined>, text: string, serverNow_ms: number): Answer {
  const etag = one(headers.etag)
  if (status === 304) return { status, body: undefined, etag }
  const type = one(headers['content-type']) ?? ''
  const isJson = /^application\/([\w.+-]+\+)?json\b/i.test(type)
  if (status >= 200 && status < 300) {
    if (!isJson) throw new VtnError('protocol', `The VTN answered ${status} with ${type || 'no content type'} instead of JSON.`, { status })
    return { status, body: parse(text, status), etag }
  }
  const problem = isJson ? problemOf(text) : undefined
  const retryAfter_ms = retryAfterMs(one(headers['retry-after']), serverNow_ms)
  throw new VtnError(kindOf(status), `The VTN answered ${status}${problem?.detail ?? problem?.title ? `: ${problem?.detail ?? problem?.title}` : ''}.`, {
    status, ...(problem ? { problem } : {}), ...(retryAfter_ms === undefined ? {} : { retryAfter_ms }),
  })
}

function parse(text: string, status: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new VtnError('protocol', `The VTN answered ${status} with text that is not JSON.`, { status, cause })
  }
}

function problemOf(text: string): VtnError['problem'] {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null ? value as VtnError['problem'] : undefined
  } catch {
    return undefined
  }
}

/** Waits on the handed-in clock; an abort ends the wait with `aborted`. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((done, fail) => {
    const aborted = (): void => { timer.cancel(); fail(new VtnError('aborted', 'The wait was given up by the caller.')) }
    const timer = clock.after(ms, () => { signal?.removeEventListener('abort', aborted); done() })
    if (signal?.aborted) aborted()
    else signal?.addEventListener('abort', aborted, { once: true })
  })
}
