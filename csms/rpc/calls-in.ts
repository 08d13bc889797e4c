import type { WebSocket } from 'ws'
import { callErrorOf } from '#csms/error-map.js'
import { fnv } from '#csms/fnv.js'
import type { Code } from './error-code.js'
import type { Payload } from './outgoing.js'
import type { Session } from './session.js'
import type { SessionNeeds } from './session-needs.js'
import { signedAction, unwrapped } from './signed.js'

interface Call {
  readonly id: string
  readonly action: string
  readonly payload: Payload
  readonly raw: string
  readonly socket: WebSocket
}

/** Actions whose repetition must be answered afresh: simulators restart their id counters, and these answers carry the time. */
const neverRemembered = new Set(['Heartbeat', 'BootNotification'])

export const readableId = (id: unknown): string | undefined => (typeof id === 'string' && id.length >= 1 && id.length <= 36 ? id : undefined)

/** The station's CALLs: checked at the door, executed in order of arrival, each answered once (OCPP-054…065). */
export class CallsIn {
  readonly #session: Session
  readonly #needs: SessionNeeds
  /** By message id; the digest tells a repeated frame from another one that took its id. */
  #answers: Map<string, { digest: number; text: string }> | undefined
  #running: Call | undefined
  #inbox: Call[] | undefined

  constructor(session: Session, needs: SessionNeeds) {
    this.#session = session
    this.#needs = needs
  }

  /** The socket is gone: what it said and was not begun is not done, as the station will repeat it. */
  cut(): void {
    this.#inbox = undefined
  }

  take(socket: WebSocket, frame: unknown[], raw: string): void {
    const id = readableId(frame[1])
    // OCPP-054: an id that cannot be repeated is answered as "-1".
    if (id === undefined) return this.#refuse(socket, '-1', 'RpcFrameworkError', 'unusable message id')
    if (typeof frame[2] !== 'string' || frame.length !== 4) return this.#refuse(socket, id, 'RpcFrameworkError', 'a CALL has four elements')
    const signed = this.#session.version === '1.6' ? undefined : signedAction(frame[2]), action = signed ?? frame[2]
    const offered = this.#needs.offered(action, this.#session.version)
    if (offered !== 'yes') return this.#refuse(socket, id, offered === 'unknown' ? 'NotImplemented' : 'NotSupported', offered === 'unknown' ? `no action of OCPP ${this.#session.version} has this name` : 'a CSMS does not answer this action, or this one does not offer it')
    if (this.#repeated(socket, id, raw)) return
    const said = signed === undefined ? frame[3] : unwrapped(action, frame[3])
    const payload = this.#session.dropNulls ? withoutNulls(said) : said
    const wrong = this.#session.schemas.check(action, 'request', payload)
    if (wrong) return this.#refuse(socket, id, wrong.code, wrong.description)
    const call: Call = { id, action, payload: payload as Payload, raw, socket }
    // OCPP-065: in order of arrival, one at a time; Heartbeat may overtake.
    if (action === 'Heartbeat') return void this.#execute(call)
    if (this.#running) return this.#shelve(call)
    this.#run(call)
  }

  #refuse(socket: WebSocket, id: string, code: Code, why: string): void {
    this.#session.fail(socket, 4, id, code, why)
    this.#session.bad('call', why, socket)
  }

  /** OCPP-064: a copy of a CALL in progress or of one already answered is not executed again. */
  #repeated(socket: WebSocket, id: string, raw: string): boolean {
    const twin = this.#running?.id === id ? this.#running : this.#inbox?.find((call) => call.id === id)
    if (twin) {
      if (twin.socket !== socket) return false
      if (twin.raw !== raw) this.#refuse(socket, id, 'RpcFrameworkError', 'this message id is in progress')
      return true
    }
    const known = this.#answers?.get(id)
    // Interpretation: the same id with other content is a new CALL, as counters start again when a station restarts.
    if (!known || known.digest !== fnv(raw)) return false
    this.#session.write(socket, known.text)
    return true
  }

  #shelve(call: Call): void {
    const inbox = this.#inbox ??= []
    inbox.push(call)
    if (inbox.length >= this.#needs.limits.inbox) call.socket.pause()
  }

  #run(first: Call): void {
    let call: Call | undefined = first
    while (call) {
      this.#running = call
      const done = this.#execute(call)
      if (done) {
        void done.then(() => this.#next())
        return
      }
      call = this.#shift()
    }
    this.#running = undefined
  }

  #next(): void {
    const call = this.#shift()
    if (call) this.#run(call)
    else this.#running = undefined
  }

  #shift(): Call | undefined {
    const inbox = this.#inbox
    const call = inbox?.shift()
    if (inbox && inbox.length === 0) {
      this.#inbox = undefined
      if (!this.#session.choked) this.#session.socket?.resume()
    }
    return call
  }

  /** Executes and answers; returns a promise only when the handler did. It never throws. */
  #execute(call: Call): Promise<void> | undefined {
    // OCPP-083…085: before an Accepted boot only BootNotification and what we asked for.
    if (!this.#needs.mayHear(this.#session, call.action)) {
      this.#session.fail(call.socket, 4, call.id, 'SecurityError', 'the station is not accepted')
      return undefined
    }
    try {
      const answer = this.#needs.answer(this.#session, call.action, call.payload)
      if (answer instanceof Promise) return answer.then((a) => this.#reply(call, a), (e: unknown) => this.#failed(call, e))
      this.#reply(call, answer)
    } catch (error) {
      this.#failed(call, error)
    }
    return undefined
  }

  #reply(call: Call, answer: object): void {
    const wrong = this.#session.schemas.check(call.action, 'response', answer)
    if (wrong) return this.#failed(call, new Error(`our answer to ${call.action}: ${wrong.description}`))
    const text = JSON.stringify([3, call.id, answer])
    if (!neverRemembered.has(call.action)) {
      const answers = this.#answers ??= new Map()
      answers.delete(call.id)
      answers.set(call.id, { digest: fnv(call.raw), text })
      if (answers.size > this.#needs.limits.rememberedAnswers) answers.delete(answers.keys().next().value as string)
    }
    this.#session.write(call.socket, text)
  }

  #failed(call: Call, error: unknown): void {
    const { code, description, known } = callErrorOf(error)
    if (!known) this.#needs.log.error({ station: this.#session.identity, action: call.action, err: error }, 'a message handler failed')
    this.#session.fail(call.socket, 4, call.id, code, description)
  }
}

/** OCPP-062: a quirk of some stations: `null` for an absent optional field. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== null).map(([k, v]) => [k, withoutNulls(v)]))
}
