import { WebSocket } from 'ws'
import type { Action, Outcome, RunContext } from '#conformance/runner.js'

/** One connection of a pretended station: raw frames, so that wrong ones can be sent too. */
interface Station { readonly socket: WebSocket; readonly inbox: unknown[]; readonly waiting: (() => void)[]; closed?: { code: number; reason: string } }

const stations = new WeakMap<RunContext, Map<string, Station>>()
const patience_ms = 10_000

/** `ocpp.connect {id, as?, password?, subprotocols, url?}` → `{status, protocol, headers}`; status 101 when the WebSocket stands. */
export const connect: Action = async (args, context): Promise<Outcome> => {
  const id = String(args.id), name = String(args.as ?? id)
  const url = `${String(args.url ?? context.target.url).replace(/\/$/, '')}/${encodeURIComponent(id)}`
  const identity = (context.target.values.identities as Record<string, { ca?: string; cert?: string; key?: string }> | undefined)?.[String(args.identity ?? 'default')] ?? {}
  const auth = args.password === undefined ? {} : { authorization: `Basic ${Buffer.from(`${String(args.user ?? id)}:${String(args.password)}`).toString('base64')}` }
  const socket = new WebSocket(url, (args.subprotocols as string[] | undefined) ?? ['ocpp2.0.1'], {
    headers: { ...auth, ...(args.headers as Record<string, string> | undefined) }, handshakeTimeout: patience_ms, ...identity,
  })
  return new Promise((resolve) => {
    const station: Station = { socket, inbox: [], waiting: [] }
    const wake = (): void => { for (const w of station.waiting.splice(0)) w() }
    socket.on('message', (data) => { station.inbox.push(parse(String(data))); wake() })
    socket.on('close', (code, reason) => { station.closed = { code, reason: String(reason) }; wake() })
    socket.on('open', () => {
      const known = stations.get(context) ?? new Map<string, Station>()
      stations.set(context, known.set(name, station))
      context.onEnd(() => socket.terminate())
      resolve({ status: 101, protocol: socket.protocol })
    })
    socket.on('unexpected-response', (_request, response) => {
      response.resume()
      resolve({ status: response.statusCode ?? 0, headers: response.headers })
      socket.terminate()
    })
    socket.on('error', (error) => resolve({ status: 0, error: error.message }))
  })
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
  const isCall = (f: unknown): boolean => Array.isArray(f) && f[0] === 2 && (args.action === undefined || f[2] === args.action)
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
