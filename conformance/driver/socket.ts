import { connect as tlsConnect, type TLSSocket } from 'node:tls'
import type { TlsIdentity } from '#conformance/driver/http.js'
import type { Action, RunContext } from '#conformance/runner.js'

type Args = Readonly<Record<string, unknown>>

/** One TLS connection by hand, with what an HTTP client library would hide. */
function open(args: Args, context: RunContext, session?: Buffer): Promise<TLSSocket> {
  const identity = (context.target.values['identities'] as Record<string, TlsIdentity> | undefined)?.[String(args.as ?? 'default')] ?? {}
  const url = new URL(context.target.url)
  const socket = tlsConnect({
    host: url.hostname, port: Number(url.port || 443), rejectUnauthorized: false, maxVersion: 'TLSv1.2', ...(session ? { session } : {}),
    ...(identity.ca ? { ca: identity.ca } : {}), ...(identity.cert ? { cert: identity.cert, key: identity.key } : {}), ...(identity.ciphers ? { ciphers: identity.ciphers } : {}),
  })
  context.onEnd(() => { socket.destroy() })
  return new Promise((resolve, reject) => { socket.once('secureConnect', () => resolve(socket)); socket.once('error', reject) })
}

const get = (path: string, host: string): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: application/sep+xml\r\n\r\n`

/** Whole answers with Content-Length, in the order in which they came; fewer when the peer closes or the time is over. */
async function answers(socket: TLSSocket, count: number, ms = 8000): Promise<{ status: number; body: string }[]> {
  let bytes: Buffer = Buffer.alloc(0)
  const found: { status: number; body: string }[] = []
  const take = (): void => {
    for (;;) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = bytes.subarray(0, end).toString(), length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (bytes.length < end + 4 + length) return
      found.push({ status: Number(head.slice(9, 12)), body: bytes.subarray(end + 4, end + 4 + length).toString() })
      bytes = bytes.subarray(end + 4 + length)
    }
  }
  await new Promise<void>((done) => {
    const timer = setTimeout(done, ms), end = (): void => { clearTimeout(timer); done() }
    socket.on('data', (data: Buffer) => { bytes = Buffer.concat([bytes, data]); take(); if (found.length >= count) end() })
    socket.on('close', end)
  })
  socket.removeAllListeners('data')
  return found
}

const rootOf = (xml: string): string => /<(?:\w+:)?(\w+)[\s>/]/.exec(xml.replace(/<\?[\s\S]*?\?>/, ''))?.[1] ?? ''

/** `socket.pipeline {as, paths}`: all at once on one connection → `{statuses, roots}` in the order of the answers (SEP-008). */
export const pipeline: Action = async (args, context) => {
  const socket = await open(args, context), host = new URL(context.target.url).host, paths = args.paths as string[]
  const came = answers(socket, paths.length)
  socket.write(paths.map((p) => get(p, host)).join(''))
  const list = await came
  return { statuses: list.map((a) => a.status), roots: list.map((a) => rootOf(a.body)) }
}

/** `socket.idle {as, path, ms}`: asks, says nothing for so long, asks again on the same connection → `{statuses}`. */
export const idle: Action = async (args, context) => {
  const socket = await open(args, context), host = new URL(context.target.url).host
  const ask = async (): Promise<number | undefined> => { const came = answers(socket, 1); if (!socket.destroyed) socket.write(get(String(args.path), host)); return (await came)[0]?.status }
  const first = await ask()
  await new Promise((wake) => setTimeout(wake, Number(args.ms)))
  return { statuses: [first, socket.destroyed ? undefined : await ask()] }
}

/** `socket.resume {as, path}`: a second connection with the session of the first → `{resumed, status, body}` (SEP-007). */
export const resume: Action = async (args, context) => {
  const host = new URL(context.target.url).host
  const first = await open(args, context)
  let session: Buffer | undefined = first.getSession()
  first.on('session', (s: Buffer) => { session = s })
  const came = answers(first, 1)
  first.write(get(String(args.path), host))
  await came
  first.destroy()
  const second = await open(args, context, session)
  const again = answers(second, 1)
  second.write(get(String(args.path), host))
  const [one] = await again
  return { resumed: second.isSessionReused(), status: one?.status, body: one?.body }
}
