import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomBytes } from 'node:crypto'
import { CliExit, exitCode } from '#cli/exit-code.js'
import type { VenConnection } from '#cli/ven.js'
import { connect, spoken } from '#cli/ven-run.js'
import type { Notification } from '#ven-client/openadr/objects.js'
import { webhookReceiver } from '#ven-client/openadr/webhook.js'

export interface ListenOptions extends VenConnection {
  readonly objects: string
  readonly operations: string
  readonly program?: string
  readonly forward?: string
  readonly port: string
  readonly publicUrl?: string
  readonly for?: string
}

const objectTypes = ['PROGRAM', 'EVENT', 'REPORT', 'SUBSCRIPTION', 'VEN', 'RESOURCE'], operationNames = ['CREATE', 'READ', 'UPDATE', 'DELETE']

function words(text: string, known: readonly string[], option: string): string[] {
  const given = text.split(',').map((w) => w.trim().toUpperCase())
  const strange = given.find((w) => !known.includes(w))
  if (strange !== undefined) throw new CliExit(exitCode.usage, `${option} knows ${known.join(', ')}, not '${strange}'`)
  return given
}

/**
 * `webhook listen`: subscribes at a VTN for as long as it runs, prints every notification, and forwards it to a server on this machine.
 * The VTN must reach us: on one machine that is loopback, else `--public-url` names a tunnel or proxy in front of `--port`.
 */
export async function listen(o: ListenOptions): Promise<void> {
  const objects = words(o.objects, objectTypes, '--objects'), operations = words(o.operations, operationNames, '--operations')
  const client = await connect(o), bearerToken = randomBytes(24).toString('base64url')
  const print = (line: Record<string, unknown>): void => { process.stdout.write(o.json ? `${JSON.stringify(line)}\n` : `${new Date().toISOString()}  ${Object.values(line).filter((v) => typeof v !== 'object').join('  ')}\n`) }
  let forwarding: Promise<void> = Promise.resolve()

  async function forward(notification: Notification): Promise<void> {
    const { id } = notification.object as { id?: string }
    const said = { operation: notification.operation, objectType: notification.objectType, id: id ?? '' }
    if (o.forward === undefined) { print({ ...said, notification }); return }
    const begun = Date.now()
    const answer = await fetch(o.forward, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(notification), redirect: 'manual', signal: AbortSignal.timeout(10_000) })
      .then((r) => String(r.status), (error: unknown) => (error as Error & { cause?: Error }).cause?.message ?? (error as Error).message)
    print({ ...said, forwarded: answer, ms: Date.now() - begun, notification })
  }

  const server = createServer(webhookReceiver({ bearerToken, onNotification: (n) => { forwarding = forwarding.then(() => forward(n)) } }))
  await new Promise<void>((done, fail) => { server.once('error', fail).listen(Number(o.port), '127.0.0.1', done) })
  const callbackUrl = o.publicUrl ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`
  await spoken(client, async () => {
    try {
      const subscription = await client.subscribe({ clientName: `${o.clientId ?? 'listener'} webhook listen`, ...(o.program ? { programID: o.program } : {}), objectOperations: [{ objects, operations, callbackUrl, bearerToken }] })
      process.stderr.write(`subscribed as ${subscription.id}: ${objects.join(', ')} to ${callbackUrl}${o.forward ? `, forwarded to ${o.forward}` : ''}; Ctrl-C ends it\n`)
      await new Promise<void>((done) => {
        process.once('SIGINT', () => done())
        process.once('SIGTERM', () => done())
        if (o.for !== undefined) setTimeout(done, Number(o.for) * 1000)
      })
      await client.unsubscribe(subscription.id)
      await forwarding
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
}
