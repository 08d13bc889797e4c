import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { parseXml } from '#core/describe/xml.js'
import { mismatch, at } from '#conformance/match.js'
import type { Matcher } from '#conformance/procedure.js'
import type { Action, RunContext } from '#conformance/runner.js'
import { plain } from '#conformance/driver/xml.js'

/** What a receiver of webhooks or notifications got, newest last. */
interface Arrival { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers']; readonly text: string; readonly body: unknown; readonly at_ms: number }
interface Receiver { readonly got: Arrival[]; readonly waiting: (() => void)[]; mode: string; code: number; taken: number }

const receivers = new WeakMap<RunContext, Map<string, Receiver>>()
const ciphers = 'ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0'

/**
 * `receiver.listen {name, mode?, identity?}` → `{url, port}`. mode: 'echo' (answers a challenge of OA-121), 'wrong' (another value), 'refuse' (`code`), 'redirect',
 * 'silent'. With `identity` it speaks TLS with that certificate and asks for the sender's.
 */
export const listen: Action = async (args, context) => {
  const name = String(args.name ?? 'receiver')
  const receiver: Receiver = { got: [], waiting: [], mode: String(args.mode ?? 'echo'), code: Number(args.code ?? 500), taken: 0 }
  const identity = (context.target.values['identities'] as Record<string, { cert?: string; key?: string }> | undefined)?.[String(args.identity)]
  const handle = (request: IncomingMessage, response: ServerResponse): void => { void take(receiver, request, response, context) }
  const server = identity
    ? createTlsServer({ cert: identity.cert, key: identity.key, ciphers, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', requestCert: true, rejectUnauthorized: false }, handle)
    : createServer(handle)
  await new Promise<void>((ready) => { server.listen(0, '127.0.0.1', ready) })
  const known = receivers.get(context) ?? new Map<string, Receiver>()
  receivers.set(context, known.set(name, receiver))
  context.onEnd(() => { server.closeAllConnections(); server.close() })
  const { port } = server.address() as AddressInfo
  return { port, url: `${identity ? 'https' : 'http'}://127.0.0.1:${port}/${String(args.path ?? 'hook')}` }
}

async function take(receiver: Receiver, request: IncomingMessage, response: ServerResponse, context: RunContext): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const text = Buffer.concat(parts).toString()
  if (context.tamper?.arrival?.(text, request.method ?? '') === false) { response.writeHead(204).end(); return }
  receiver.got.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, text, body: bodyOf(text), at_ms: context.nowMs() })
  for (const wake of receiver.waiting.splice(0)) wake()
  if (receiver.mode === 'silent') return
  if (receiver.mode === 'redirect') { response.writeHead(302, { location: '/elsewhere' }).end(); return }
  if (receiver.mode === 'refuse') { response.writeHead(receiver.code).end(); return }
  const echo = new URL(request.url ?? '/', 'http://receiver').searchParams.get('echo')
  if (request.method === 'GET') response.writeHead(200, { 'content-type': 'text/plain' }).end(receiver.mode === 'wrong' ? 'another value' : (echo ?? ''))
  else response.writeHead(204).end()
}

function bodyOf(text: string): unknown {
  if (text.trim().startsWith('<')) {
    try { const root = parseXml(text); return { root: root.name, namespace: root.uri, order: root.children.map((c) => c.name), xml: plain(root) } } catch { return undefined }
  }
  try { return JSON.parse(text) } catch { return undefined }
}

function receiverOf(args: Readonly<Record<string, unknown>>, context: RunContext): Receiver {
  const found = receivers.get(context)?.get(String(args.name ?? 'receiver'))
  if (!found) throw new Error(`no receiver '${String(args.name ?? 'receiver')}' listens in this procedure`)
  return found
}

const fits = (arrival: Arrival, where: Readonly<Record<string, Matcher>>): boolean => Object.entries(where).every(([path, wanted]) => mismatch(at(arrival, path), wanted) === undefined)

/** `receiver.expect {name?, where?, timeout_ms?}`: the first arrival that fits, taken away → `{arrived, method, url, headers, body, text}` or `{arrived: false}`. */
export const expect: Action = async (args, context) => {
  const receiver = receiverOf(args, context)
  const where = { method: 'POST', ...(args.where as Record<string, Matcher> | undefined) }
  const deadline = performance.now() + Number(args.timeout_ms ?? 5000)
  for (;;) {
    const index = receiver.got.findIndex((one) => fits(one, where))
    if (index >= 0) return { arrived: true, ...receiver.got.splice(index, 1)[0] }
    const left = deadline - performance.now()
    if (left <= 0) return { arrived: false, others: receiver.got.map((g) => g.text.slice(0, 300)) }
    await new Promise<void>((wake) => { const timer = setTimeout(wake, left); receiver.waiting.push(() => { clearTimeout(timer); wake() }) })
  }
}

/** `receiver.count {name?, where?, after_ms?}` → `{count, arrivals}`: how many fit after that time. */
export const count: Action = async (args, context) => {
  const receiver = receiverOf(args, context)
  await new Promise((wake) => setTimeout(wake, Number(args.after_ms ?? 0)))
  const fitting = receiver.got.filter((one) => fits(one, { method: 'POST', ...(args.where as Record<string, Matcher> | undefined) }))
  return { count: fitting.length, arrivals: fitting }
}

/** `receiver.become {name?, mode, code?}`: it behaves otherwise from now on. */
export const become: Action = async (args, context) => {
  const receiver = receiverOf(args, context)
  receiver.mode = String(args.mode)
  if (args.code !== undefined) receiver.code = Number(args.code)
  return { mode: receiver.mode }
}
