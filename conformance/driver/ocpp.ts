import { request } from 'node:http'
import { WebSocket } from 'ws'
import type { Action, Outcome, RunContext } from '#conformance/runner.js'

/** One connection of a pretended station: raw frames, so that wrong ones can be sent too. */
interface Station { readonly socket: WebSocket; readonly inbox: unknown[]; readonly waiting: (() => void)[]; readonly awaited: Set<string>; auto?: (call: unknown[]) => boolean; closed?: { code: number; reason: string } }

const stations = new WeakMap<RunContext, Map<string, Station>>()
const patience_ms = 10_000

/** `ocpp.connect {id, as?, password?, subprotocols, url?, own?, obey?}` → `{status, protocol, headers}`; status 101 when the WebSocket stands. `own` names calls that the procedure answers itself: an action, or an action with one payload: `'ClearCache {}'`, `['ClearCache', {}]`. */
export const connect: Action = async (args, context): Promise<Outcome> => {
  const id = String(args.id), name = String(args.as ?? id)
  const url = `${String(args.url ?? context.target.url).replace(/\/$/, '')}/${args.rawId === undefined ? encodeURIComponent(id) : String(args.rawId)}`
  const identity = (context.target.values.identities as Record<string, { ca?: string; cert?: string; key?: string }> | undefined)?.[String(args.identity ?? 'default')] ?? {}
  const auth = args.password === undefined ? {} : { authorization: `Basic ${Buffer.from(`${String(args.user ?? id)}:${String(args.password)}`).toString('base64')}` }
  const socket = new WebSocket(url, (args.subprotocols as string[] | undefined) ?? ['ocpp2.0.1'], {
    headers: { ...auth, ...(args.headers as Record<string, string> | undefined) }, handshakeTimeout: patience_ms, perMessageDeflate: args.compression === true, ...identity, ...(args.tls as object | undefined),
  })
  return new Promise((resolve) => {
    let compression: string | undefined
    socket.on('upgrade', (response) => { compression = response.headers['sec-websocket-extensions'] })
    const station: Station = { socket, inbox: [], waiting: [], awaited: new Set(((args.own as (string | [string, unknown])[] | undefined) ?? []).map((o) => (typeof o === 'string' ? o : `${o[0]} ${JSON.stringify(o[1])}`))) }
    const wake = (): void => { for (const w of station.waiting.splice(0)) w() }
    socket.on('message', (data) => {
      const came = parse(String(data)), frame = context.tamper?.frame ? context.tamper.frame(came) : came
      if (frame === null && came !== null) return
      if (context.tamper?.twice?.(frame)) station.inbox.push(frame)
      if (Array.isArray(frame) && frame[0] === 2 && station.auto?.(frame)) return
      station.inbox.push(frame)
      wake()
    })
    socket.on('close', (code, reason) => { station.closed = { code, reason: String(reason) }; wake() })
    socket.on('open', () => {
      if (args.obey !== false) obey(station)
      const known = stations.get(context) ?? new Map<string, Station>()
      stations.set(context, known.set(name, station))
      context.onEnd(() => socket.terminate())
      resolve({ status: 101, protocol: socket.protocol, extensions: compression ?? '' })
    })
    socket.on('unexpected-response', (_request, response) => {
      response.resume()
      resolve({ status: response.statusCode ?? 0, headers: response.headers })
      socket.terminate()
    })
    socket.on('error', (error) => resolve({ status: 0, error: error.message }))
  })
}

/**
 * What a real station would answer to what a CSMS may ask after a boot on its own account (reading the device model, baseline profiles):
 * those calls are answered here, unless the procedure waits for that action itself.
 */
const own: Readonly<Record<string, (payload: Record<string, unknown>) => unknown>> = {
  GetBaseReport: () => ({ status: 'EmptyResultSet' }), GetReport: () => ({ status: 'EmptyResultSet' }), GetMonitoringReport: () => ({ status: 'EmptyResultSet' }),
  GetVariables: (p) => ({ getVariableResult: (p['getVariableData'] as object[]).map((d) => ({ ...d, attributeStatus: 'UnknownVariable' })) }),
  SetVariables: (p) => ({ setVariableResult: (p['setVariableData'] as Record<string, unknown>[]).map(({ component, variable }) => ({ component, variable, attributeStatus: 'Accepted' })) }),
  GetConfiguration: () => ({ configurationKey: [], unknownKey: [] }), ChangeConfiguration: () => ({ status: 'Accepted' }), GetChargingProfiles: () => ({ status: 'NoProfiles' }),
  SetChargingProfile: () => ({ status: 'Accepted' }), ClearChargingProfile: () => ({ status: 'Accepted' }), GetCompositeSchedule: () => ({ status: 'Rejected' }), TriggerMessage: () => ({ status: 'NotImplemented' }),
  GetLocalListVersion: (p) => ('listVersion' in p ? {} : { versionNumber: 0 }), GetTransactionStatus: () => ({ messagesInQueue: false }),
}

function obey(station: Station): void {
  station.auto = (frame) => {
    const answer = own[String(frame[2])]
    if (!answer || station.awaited.has(String(frame[2])) || station.awaited.has(`${String(frame[2])} ${JSON.stringify(frame[3])}`)) return false
    station.socket.send(JSON.stringify([3, frame[1], answer((frame[3] ?? {}) as Record<string, unknown>)]))
    return true
  }
}

const parse = (text: string): unknown => { try { return JSON.parse(text) } catch { return text } }

function stationOf(args: Readonly<Record<string, unknown>>, context: RunContext): Station {
  const station = stations.get(context)?.get(String(args.as ?? args.id))
  if (!station) throw new Error(`no station '${String(args.as ?? args.id)}' is connected in this procedure`)
  return station
}

/** The next frame that `wanted` accepts, others stay in the inbox; undefined after the patience or when the socket is closed. */
async function take(station: Station, wanted: (frame: unknown) => boolean, ms: number): Promise<unknown> {
  const deadline = performance.now() + ms
  for (;;) {
    const at = station.inbox.findIndex(wanted)
    if (at >= 0) return station.inbox.splice(at, 1)[0]
    const left = deadline - performance.now()
    if (left <= 0 || station.closed) return undefined
    await new Promise<void>((wake) => { const t = setTimeout(wake, left); station.waiting.push(() => { clearTimeout(t); wake() }) })
  }
}

/** `ocpp.binary {as|id}`: a binary frame; `ocpp.ping {as|id}` → `{pong}`. */
export const binary: Action = async (args, context) => {
  const station = stationOf(args, context)
  station.socket.send(Buffer.from(String(args.text ?? '[2,"b","Heartbeat",{}]')), { binary: true })
  return waitClosed(args, context)
}

export const ping: Action = async (args, context) => {
  const station = stationOf(args, context)
  const pong = new Promise<boolean>((resolve) => { station.socket.once('pong', () => resolve(true)); setTimeout(() => resolve(false), 5000) })
  station.socket.ping()
  return { pong: await pong }
}

/** `ocpp.burst {as|id, calls: [{action, payload, messageId}]}`: sends all at once, in that order → `{order, types}` as the answers came. */
export const burst: Action = async (args, context) => {
  const station = stationOf(args, context)
  const calls = args.calls as { action: string; payload?: unknown; messageId: string }[]
  for (const one of calls) station.socket.send(JSON.stringify([2, one.messageId, one.action, one.payload ?? {}]))
  const order: string[] = [], types: number[] = []
  const ours = (frame: unknown): boolean => Array.isArray(frame) && (frame[0] === 3 || frame[0] === 4) && calls.some((c) => c.messageId === frame[1])
  for (let i = 0; i < calls.length; i += 1) {
    const frame = await take(station, ours, 5000) as unknown[] | undefined
    if (!frame) break
    order.push(String(frame[1])); types.push(Number(frame[0]))
  }
  return { order, types, payloads: order.length }
}

/** `ocpp.quiet {as|id, ms}` → `{calls}`: the CSMS's own calls that came within that time, unanswered and left where they are. */
export const quiet: Action = async (args, context) => {
  const station = stationOf(args, context)
  await new Promise((wake) => setTimeout(wake, Number(args.ms)))
  return { calls: station.inbox.filter((f) => Array.isArray(f) && f[0] === 2).map((f) => (f as unknown[])[2]), open: station.closed === undefined }
}

const isAnswerTo = (id: string) => (frame: unknown): boolean => Array.isArray(frame) && (frame[0] === 3 || frame[0] === 4 || frame[0] === 5) && frame[1] === id

/** `ocpp.call {as|id, action, payload, messageId?}` → `{type:'CALLRESULT', payload}` or `{type:'CALLERROR', code, description, details}` or `{type:'none'}`. */
export const call: Action = async (args, context): Promise<Outcome> => {
  const station = stationOf(args, context)
  const messageId = String(args.messageId ?? `m${Math.floor(context.random() * 1e9)}`)
  station.socket.send(JSON.stringify([2, messageId, args.action, args.payload ?? {}]))
  return answer(await take(station, isAnswerTo(messageId), Number(args.timeout_ms ?? patience_ms)), station)
}

/** `ocpp.raw {as|id, text, messageId?}`: sends the text as it is; waits for an answer to messageId ("-1" when unreadable). */
export const raw: Action = async (args, context): Promise<Outcome> => {
  const station = stationOf(args, context)
  station.socket.send(String(args.text))
  return answer(await take(station, isAnswerTo(String(args.messageId ?? '-1')), Number(args.timeout_ms ?? 3000)), station)
}

function answer(frame: unknown, station: Station): Outcome {
  if (!Array.isArray(frame)) return { type: 'none', open: station.closed === undefined, closed: station.closed }
  if (frame[0] === 3) return { type: 'CALLRESULT', payload: frame[2], frame, open: station.closed === undefined }
  return { type: 'CALLERROR', code: frame[2], description: frame[3], details: frame[4], frame, open: station.closed === undefined }
}

/** `ocpp.expect {as|id, action?, reply?, error?}`: waits for a CALL of the CSMS and answers it → `{action, payload}` or `{action: null}`. */
export const expect: Action = async (args, context): Promise<Outcome> => {
  const station = stationOf(args, context)
  const isCall = (f: unknown): boolean => Array.isArray(f) && f[0] === 2 && (args.action === undefined || f[2] === args.action) && (args.payload === undefined || JSON.stringify(f[3]) === JSON.stringify(args.payload))
  const frame = await take(station, isCall, Number(args.timeout_ms ?? patience_ms)) as unknown[] | undefined
  if (!frame) return { action: null, open: station.closed === undefined }
  if (args.error) station.socket.send(JSON.stringify([4, frame[1], args.error, '', {}]))
  else if (args.reply !== undefined) station.socket.send(JSON.stringify([3, frame[1], args.reply]))
  return { action: frame[2], payload: frame[3], messageId: frame[1] }
}

/** `ocpp.close {as|id, code?}` and `ocpp.waitClosed {as|id}` → `{closed, code, reason}`. */
export const close: Action = async (args, context): Promise<Outcome> => {
  const station = stationOf(args, context)
  station.socket.close(Number(args.code ?? 1000))
  return waitClosed(args, context)
}

export const waitClosed: Action = async (args, context): Promise<Outcome> => {
  const station = stationOf(args, context)
  if (!station.closed) await take(station, () => false, Number(args.timeout_ms ?? patience_ms))
  return { closed: station.closed !== undefined, code: station.closed?.code, reason: station.closed?.reason }
}

/**
 * `ocpp.bare {id, password, subprotocols, text}`: the opening handshake by hand, since a client library leaves a server that answers without a subprotocol →
 * `{status, protocol, answered, closed, code}`: whether the text was answered, and how the server closed.
 */
export const bare: Action = async (args, context): Promise<Outcome> => {
  const url = new URL(`${context.target.url.replace(/\/$/, '')}/${encodeURIComponent(String(args.id))}`)
  const subprotocols = args.subprotocols as string[]
  const asked = request({
    host: url.hostname, port: url.port || 80, path: url.pathname, headers: {
      'connection': 'Upgrade', 'upgrade': 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': Buffer.from('conformance-run!').toString('base64'),
      'authorization': `Basic ${Buffer.from(`${String(args.id)}:${String(args.password)}`).toString('base64')}`, ...(subprotocols.length ? { 'sec-websocket-protocol': subprotocols.join(', ') } : {}),
    },
  })
  context.onEnd(() => { asked.destroy() })
  return new Promise((resolve) => {
    asked.on('error', (error) => resolve({ status: 0, error: error.message }))
    asked.on('response', (response) => { response.resume(); resolve({ status: response.statusCode, protocol: '', answered: false, closed: true }) })
    asked.on('upgrade', (response, socket, head) => {
      const seen: Buffer[] = [head]
      const text = Buffer.from(String(args.text))
      socket.on('data', (data: Buffer) => seen.push(data))
      socket.on('error', () => {})
      socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]))
      const tell = (closed: boolean): void => resolve({ status: 101, protocol: response.headers['sec-websocket-protocol'] ?? '', ...framesIn(Buffer.concat(seen), closed) })
      socket.on('close', () => tell(true))
      socket.on('end', () => tell(true))
      setTimeout(() => { tell(false); socket.destroy() }, 3000)
    })
    asked.end()
  })
}

/** `ocpp.answerAll {as|id, action, reply, ms}`: answers every such CALL of the CSMS for that time → `{count}`. */
export const answerAll: Action = async (args, context): Promise<Outcome> => {
  const station = stationOf(args, context), deadline = performance.now() + Number(args.ms)
  let count = 0
  for (;;) {
    const frame = await take(station, (f) => Array.isArray(f) && f[0] === 2 && f[2] === args.action, Math.max(0, deadline - performance.now())) as unknown[] | undefined
    if (!frame) return { count }
    count += 1
    station.socket.send(JSON.stringify([3, frame[1], args.reply]))
  }
}

/** `ocpp.flood {as|id, text, count}`: the same text again and again → `{closed, code}`. */
export const flood: Action = async (args, context): Promise<Outcome> => {
  const station = stationOf(args, context)
  for (let n = 0; n < Number(args.count) && !station.closed; n += 1) station.socket.send(String(args.text))
  return waitClosed({ timeout_ms: 5000, ...args }, context)
}

/** `ocpp.knock {…as connect, count}`: the same handshake again and again → `{counts: {status: n}, retryAfter}`. */
export const knock: Action = async (args, context): Promise<Outcome> => {
  const counts: Record<string, number> = {}
  let retryAfter: unknown
  for (let n = 0; n < Number(args.count); n += 1) {
    const { status, headers } = await connect({ ...args, as: `knock-${n}` }, context)
    counts[String(status)] = (counts[String(status)] ?? 0) + 1
    retryAfter ??= (headers as Record<string, string> | undefined)?.['retry-after']
  }
  return { counts, retryAfter }
}

/** Short unmasked frames of a server: was there a text, and with which code did it close. */
function framesIn(bytes: Buffer, ended: boolean): Outcome {
  let answered = false, code: number | undefined
  for (let i = 0; i + 1 < bytes.length; i += 2 + ((bytes[i + 1] as number) & 0x7f)) {
    const kind = (bytes[i] as number) & 0x0f
    if (kind === 1) answered = true
    if (kind === 8 && i + 3 < bytes.length) code = bytes.readUInt16BE(i + 2)
  }
  return { answered, closed: ended || code !== undefined, code }
}
