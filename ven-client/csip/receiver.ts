import type { IncomingMessage, ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { fromXml, parseXml } from '#core/describe/xml.js'
import { Notification } from '#csip-server/wire/subscription.js'
import { ciphers, namespaces } from '#ven-client/csip/transport.js'

/** Which resource changed, and how (SEP-154: 0 changed, 1 cancelled, 2 moved, 3 defined anew, 4 deleted). The state itself is read from the server. */
export interface Hint {
  readonly subscribedResource: string
  readonly status: number
}

const most = 1_048_576

/** A receiver to hang on a server of the caller's own: answers at once, checks form and size, and passes the hint on. */
export function notificationReceiver(onNotification: (hint: Hint) => void): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const end = (status: number, headers: Record<string, string> = {}): void => { response.writeHead(status, { 'content-length': '0', ...headers }).end() }
    if (request.method !== 'POST') { request.resume(); end(405, { allow: 'POST' }); return }
    const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
    if (type !== 'application/sep+xml' && type !== 'application/xml') { request.resume(); end(415); return }
    const parts: Buffer[] = []
    let size = 0
    request.on('data', (part: Buffer) => { size += part.length; if (size <= most) parts.push(part) })
    request.on('error', () => response.destroy())
    request.on('end', () => {
      const hint = size > most ? undefined : read(Buffer.concat(parts))
      end(size > most ? 413 : hint ? 204 : 400)
      if (hint) onNotification(hint)
    })
  }
}

function read(body: Buffer): Hint | undefined {
  try {
    const element = parseXml(body)
    if (element.name !== 'Notification' || !namespaces.has(element.uri)) return undefined
    const { subscribedResource, status } = fromXml(element, Notification.schema, namespaces) as Partial<Hint>
    return typeof subscribedResource === 'string' && typeof status === 'number' ? { subscribedResource, status } : undefined
  } catch {
    return undefined
  }
}

export interface NotificationServerOptions {
  /** PEM: the same identity as the client's (SEP-012). */
  readonly key: string
  readonly cert: string
  readonly ca: string
  readonly host?: string
  readonly port?: number
  readonly onNotification: (hint: Hint) => void
}

/** TLS 1.2, CCM_8 first, the utility's certificate required. Gives the base of a notificationURI. */
export async function notificationServer(options: NotificationServerOptions): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = https.createServer({
    key: options.key, cert: options.cert, ca: options.ca, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers, ecdhCurve: 'prime256v1',
    headersTimeout: 15_000, requestTimeout: 30_000,
  }, notificationReceiver(options.onNotification))
  await new Promise<void>((done, failed) => { server.once('error', failed); server.listen(options.port ?? 0, options.host, done) })
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((done) => { server.close(() => done()); server.closeAllConnections() }),
  }
}
