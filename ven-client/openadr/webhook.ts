import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { systemClock, type Clock } from '#core/port/clock.js'
import type { Notification } from '#ven-client/openadr/objects.js'

export interface WebhookOptions {
  /** What the subscription told the VTN to send; checked in constant time. */
  readonly bearerToken?: string
  /** Secret of `X-OpenADR-Signature` (HMAC-SHA256 over the body, OA-131), when the VTN signs. */
  readonly hmacSecret?: string
  /** With `hmacSecret`: signatures older than so many seconds are refused, for VTNs that send `X-OpenADR-Signature-Timestamped` (REL-054). */
  readonly maxAge_s?: number
  readonly clock?: Clock
  /** A hint to poll; the object in it is not trusted as state (OA-203). */
  readonly onNotification: (notification: Notification) => void
  readonly maxBody_bytes?: number
}

const same = (a: string, b: string): boolean => {
  const x = Buffer.from(a), y = Buffer.from(b)
  return x.length === y.length && timingSafeEqual(x, y)
}

/**
 * A receiver to hang on an https server of the caller's own (OA-209): answers the echo challenge, checks who sends, answers at once.
 * A repeated notification is harmless, since it is only a hint. `(request, response)` fits node:http and any framework's raw objects.
 */
export function webhookReceiver(options: WebhookOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const allowed = (request: IncomingMessage): boolean =>
    options.bearerToken === undefined || same(request.headers.authorization ?? '', `Bearer ${options.bearerToken}`)

  function signed(request: IncomingMessage, body: Buffer): boolean {
    if (options.hmacSecret === undefined) return true
    const { hmacSecret, maxAge_s } = options, clock = options.clock ?? systemClock
    const given = (header: string): string => String(request.headers[header] ?? '').replace(/^sha256=/, '')
    if (maxAge_s === undefined) return same(given('x-openadr-signature'), createHmac('sha256', hmacSecret).update(body).digest('hex'))
    const at = given('x-openadr-timestamp')
    return Math.abs(clock.now() - Number(at)) <= maxAge_s && same(given('x-openadr-signature-timestamped'), createHmac('sha256', hmacSecret).update(`${at}.`).update(body).digest('hex'))
  }

  function echo(request: IncomingMessage, response: ServerResponse): void {
    const value = new URL(request.url ?? '/', 'https://receiver').searchParams.get('echo')
    if (value === null || value.length > 1024) { response.writeHead(400).end(); return }
    response.writeHead(200, { 'content-type': 'text/plain' }).end(value)
  }

  return (request, response) => {
    if (request.method === 'GET') { echo(request, response); return }
    if (request.method !== 'POST') { response.writeHead(405, { allow: 'GET, POST' }).end(); return }
    if (!allowed(request)) { response.writeHead(401, { 'www-authenticate': 'Bearer' }).end(); return }
    const parts: Buffer[] = []
    let size = 0
    request.on('data', (part: Buffer) => {
      size += part.length
      if (size <= (options.maxBody_bytes ?? 1_048_576)) parts.push(part)
    })
    request.on('error', () => response.destroy())
    request.on('end', () => {
      if (size > (options.maxBody_bytes ?? 1_048_576)) { response.writeHead(413).end(); return }
      const body = Buffer.concat(parts)
      if (!signed(request, body)) { response.writeHead(401).end(); return }
      const notification = read(body)
      response.writeHead(notification ? 200 : 400).end()
      if (notification) options.onNotification(notification)
    })
  }
}

/** The notification object, or undefined when it is none. */
export function read(body: Buffer): Notification | undefined {
  try {
    const value = JSON.parse(body.toString('utf8')) as Partial<Notification> | null
    return typeof value === 'object' && value !== null && typeof value.objectType === 'string' && typeof value.operation === 'string' ? value as Notification : undefined
  } catch {
    return undefined
  }
}
