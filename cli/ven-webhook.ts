import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { CliExit, exitCode } from '#cli/exit-code.js'
import type { PushOptions } from '#ven-client/openadr/push.js'
import { webhookReceiver } from '#ven-client/openadr/webhook.js'

export interface WebhookFlags {
  readonly webhookUrl?: string
  readonly webhookPort?: string
  readonly webhookCert?: string
  readonly webhookKey?: string
  readonly webhookHmac?: boolean
}

export interface Receiver {
  /** What the subscription says: the agent keeps it at the VTN. */
  readonly push: NonNullable<PushOptions['webhook']>
  close(): void
}

/** A recorded notification is no use after so many seconds (REL-054). */
const maxAge_s = 300
const pem = (path: string): Promise<Buffer> => readFile(path).catch(() => { throw new CliExit(exitCode.notFound, `${path} cannot be read`) })

/**
 * `ven run --webhook-url`: a receiver of our own (OA-209), which answers the echo challenge and takes only what bears the token of this run, signed where
 * that is asked for. HTTPS with `--webhook-cert` and `--webhook-key`; without them it listens on loopback alone, behind a proxy that ends TLS.
 */
export async function receive(o: WebhookFlags, hint: () => void): Promise<Receiver | undefined> {
  if (o.webhookUrl === undefined) {
    if (o.webhookPort ?? o.webhookCert ?? o.webhookKey ?? o.webhookHmac) throw new CliExit(exitCode.usage, 'say --webhook-url: the address under which the VTN reaches this client')
    return undefined
  }
  if ((o.webhookCert === undefined) !== (o.webhookKey === undefined)) throw new CliExit(exitCode.usage, '--webhook-cert and --webhook-key come together')
  const url = new URL(o.webhookUrl), bearerToken = randomBytes(24).toString('base64url')
  const hmacSecret = o.webhookHmac ? randomBytes(24).toString('base64url') : undefined
  const handle = webhookReceiver({ bearerToken, ...(hmacSecret === undefined ? {} : { hmacSecret, maxAge_s }), onNotification: hint })
  const tls = o.webhookCert && o.webhookKey ? { cert: await pem(o.webhookCert), key: await pem(o.webhookKey), minVersion: 'TLSv1.2' as const } : undefined
  const server = tls ? createTlsServer(tls, handle) : createServer(handle)
  const port = Number(o.webhookPort ?? (url.port || (url.protocol === 'https:' ? 443 : 80)))
  await new Promise<void>((done, fail) => {
    server.once('error', (error) => fail(new CliExit(exitCode.failed, `the webhook receiver cannot listen on port ${port}: ${error.message}`)))
    server.listen(port, tls ? undefined : '127.0.0.1', done)
  })
  return {
    push: { callbackUrl: o.webhookUrl, bearerToken, ...(hmacSecret === undefined ? {} : { hmacSecret }) },
    close() { server.closeAllConnections(); server.close() },
  }
}
