import type { WebSocket } from 'ws'
import { Refusal } from '#core/error.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import { callErrorOf } from '#csms/error-map.js'
import { CallFailed, spell, type Code } from './error-code.js'
import { CallQueue, priorities, type CallOptions, type Outgoing, type Payload } from './outgoing.js'
import { schemasOf, type Schemas } from './schema.js'
import type { Version } from './version.js'

export interface SessionLimits {
  readonly callTimeoutMs: number
  readonly queue: number
  readonly badFrames: number
  readonly badFrameWindowMs: number
  readonly rememberedAnswers: number
  /** Waiting CALLs of a station that does not wait for answers; then we stop reading until they are done. */
  readonly inbox: number
  readonly pauseAtBytes: number
  readonly closeAtBytes: number
}

export const sessionLimits: SessionLimits = {
  callTimeoutMs: 30_000, queue: 200, badFrames: 50, badFrameWindowMs: 60_000, rememberedAnswers: 100, inbox: 16,
  pauseAtBytes: 1 << 20, closeAtBytes: 8 << 20,
}

/** Time-outs of actions that may take longer (OCPP-052). */
const slow: Record<string, number> = {
  GetCompositeSchedule: 60_000, InstallCertificate: 60_000, CertificateSigned: 120_000, DeleteCertificate: 60_000,
}

/** What a session asks of the rest of the server. */
export interface SessionNeeds {
  readonly log: Log
  readonly ids: Ids
  readonly nowMs: () => number
  readonly limits: SessionLimits
  /** Is the action ours to answer: `yes`, known but not offered, or never heard of (OCPP-057). */
  offered(action: string, version: Version): 'yes' | 'notSupported' | 'unknown'
  /** May the station say this now (registration, OCPP-083…085)? */
  mayHear(session: Session, action: string): boolean
  /** May we say this now (OCPP-082, 084)? */
  mayCall(session: Session, action: string): boolean
  answer(session: Session, action: string, payload: Payload): object | Promise<object>
  /** An unanswered SEND of 2.1. */
  hear(session: Session, action: string, payload: Payload): void
  record(session: Session, direction: 'in' | 'out', text: string): void
  gone(session: Session): void
  alarm(session: Session, what: string): void
}

interface Call {
  readonly id: string
  readonly action: string
  readonly payload: Payload
  readonly raw: string
  readonly socket: WebSocket
}

interface Pending {
  readonly id: string
  readonly entry: Outgoing
  readonly timer: NodeJS.Timeout
}

/** Actions whose repetition must be answered afresh: simulators restart their id counters, and these answers carry the time. */
const neverRemembered = new Set(['Heartbeat', 'BootNotification'])

/** FNV-1a; tells a repeated frame from another one that took its id. */
function digest(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h
}

const open = 1

/**
 * The RPC framework of OCPP-J (OCPP 2.0.1 Part 4, chapter 4) for one station. It outlives its sockets: a newer one takes
 * the older one's place (OCPP-011), while the queue, the remembered answers and the bad-frame count stay.
 */
export class Session {
  readonly identity: string
  version: Version = '2.0.1'
  socket: WebSocket | undefined
  /** Machine ms of the last sign of life, and of our last unanswered ping. */
  heardAt = 0
  pingedAt = 0
  missedPings = 0
  /** Epoch ms (our clock) of the last frame; for the station page. */
  lastSeenMs = 0
  dropNulls = false
  readonly #needs: SessionNeeds
  #schemas: Schemas
  #queue: CallQueue | undefined
  #outstanding: Pending | undefined
  #late: Map<string, Outgoing> | undefined
  #answers: Map<string, { digest: number; text: string }> | undefined
  #running: Call | undefined
  #inbox: Call[] | undefined
  #badFrames = 0
  #badSince = 0
  #choked = false

  constructor(identity: string, needs: SessionNeeds) {
    this.identity = identity
    this.#needs = needs
    this.#schemas = schemasOf('2.0.1')
  }

  get online(): boolean {
    return this.socket !== undefined
  }

  get waiting(): number {
    return (this.#queue?.size ?? 0) + (this.#outstanding ? 1 : 0)
  }

  /** A newly authenticated socket takes over; the old one is closed and what waited on it fails (OCPP-011, REL-041). */
  attach(socket: WebSocket, version: Version): void {
    const old = this.socket
    if (old) this.#detach(old, 1000, 'replaced by a newer connection')
    this.socket = socket
    this.version = version
    this.#schemas = schemasOf(version)
    this.missedPings = 0
    this.#choked = false
    this.heardAt = performance.now()
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (this.socket !== socket) return
      // OCPP-015: OCPP is text.
      if (isBinary) return socket.close(1003, 'text only')
      this.#receive(socket, data.toString('utf8'))
    })
    socket.on('pong', () => this.#alive(socket))
    socket.on('ping', () => this.#alive(socket))
    socket.on('error', (error) => this.#needs.log.info({ station: this.identity, cause: error.message }, 'socket error'))
    socket.on('close', () => this.#closed(socket))
  }

  /** Closes the connection, if any. */
  close(code: number, reason: string): void {
    if (this.socket) this.#detach(this.socket, code, reason)
  }

  /** Ends everything that waits; the session is over, or another process has it. */
  end(why: 'closing' | 'replaced' = 'closing'): void {
    this.close(why === 'closing' ? 1001 : 1000, why === 'closing' ? 'server shutdown' : 'replaced by a newer connection')
    this.#queue?.drop(why === 'closing' ? new CallFailed('closed', '', 'the server is closing') : new CallFailed('replaced', '', 'another process has the station'), 'all')
  }

  /** Lets waiting calls go, e.g. after an Accepted boot. */
  wake(): void {
    this.#pump()
  }

  /** OCPP-014, REL-040: a probe that does not depend on the last pong; a second miss ends the connection. */
  probe(nowMachine: number, intervalMs: number): void {
    const { socket } = this
    if (!socket) return
    if (this.#choked && socket.bufferedAmount < this.#needs.limits.pauseAtBytes) {
      this.#choked = false
      socket.resume()
      this.#pump()
    }
    if (this.missedPings === 0 ? nowMachine - this.heardAt < intervalMs : nowMachine - this.pingedAt < intervalMs / 2) return
    if (this.missedPings >= 2) {
      this.#needs.log.info({ station: this.identity, clause: 'OCPP-014' }, 'no pong twice')
      socket.terminate()
      return this.#closed(socket)
    }
    this.missedPings += 1
    this.pingedAt = nowMachine
    if (socket.readyState === open) socket.ping()
  }

  /** Sends a CALL when its turn comes; resolves with the station's validated answer, rejects with CallFailed. */
  call(action: string, payload: object, options: CallOptions = {}): Promise<Payload> {
    if (!this.#schemas.has(action, 'request')) return Promise.reject(new Refusal('unsupported', `${action} is not an action of OCPP ${this.version}`))
    const wrong = this.#schemas.check(action, 'request', payload)
    if (wrong) return Promise.reject(new Refusal('invalid', `${action}: ${wrong.description}`, { faults: [{ path: wrong.description, reason: wrong.code }] }))
    if (!this.socket && options.offline !== 'wait') return Promise.reject(new CallFailed('closed', '', 'the station is offline'))
    return new Promise((resolve, reject) => {
      const rank = priorities.indexOf(options.priority ?? 'user')
      ;(this.#queue ??= new CallQueue(this.#needs.limits.queue)).push({ action, payload, options, rank, resolve, reject })
      this.#pump()
    })
  }

  /** An unanswered SEND (2.1 only). */
  send(action: string, payload: object): void {
    this.#write(this.socket, JSON.stringify([6, this.#needs.ids.uuid(), action, payload]))
  }

  #alive(socket: WebSocket): void {
    if (this.socket !== socket) return
    this.heardAt = performance.now()
    this.missedPings = 0
  }

  #closed(socket: WebSocket): void {
    // REL-041: the late close of a replaced socket must not take the new one with it.
    if (this.socket === socket) this.#detach(socket, 1000, '')
  }

  #detach(socket: WebSocket, code: number, reason: string): void {
    this.socket = undefined
    this.#inbox = undefined
    if (socket.readyState <= open) {
      socket.close(code, reason)
      setTimeout(() => socket.terminate(), 2000).unref()
    }
    const closed = new CallFailed('closed', '', 'the connection ended before the answer')
    const pending = this.#outstanding
    this.#outstanding = undefined
    if (pending) {
      clearTimeout(pending.timer)
      pending.entry.reject(closed)
    }
    this.#queue?.drop(closed, 'impatient')
    this.#needs.gone(this)
  }

  // ---- our calls ----

  /** OCPP-051: one CALL outstanding; the next goes after result, error or time-out. */
  #pump(): void {
    if (this.#outstanding || !this.socket || this.#choked || !this.#queue?.size) return
    const entry = this.#queue.take(this.#needs.nowMs(), (action) => this.#needs.mayCall(this, action))
    if (!entry) return
    const id = this.#needs.ids.uuid()
    const timeout = entry.options.timeoutMs ?? slow[entry.action] ?? this.#needs.limits.callTimeoutMs
    const timer = setTimeout(() => this.#timedOut(id), timeout)
    this.#outstanding = { id, entry, timer }
    this.#write(this.socket, JSON.stringify([2, id, entry.action, entry.payload]))
  }

  #timedOut(id: string): void {
    const pending = this.#outstanding
    if (pending?.id !== id) return
    this.#outstanding = undefined
    const late = this.#late ??= new Map()
    late.set(id, pending.entry)
    if (late.size > 20) late.delete(late.keys().next().value as string)
    pending.entry.reject(new CallFailed('timeout', '', `no answer to ${pending.entry.action}`))
    this.#pump()
  }

  #result(socket: WebSocket, kind: number, frame: unknown[]): void {
    const id = frame[1]
    const pending = this.#outstanding
    if (typeof id !== 'string' || pending?.id !== id) return this.#strayAnswer(kind, id, frame)
    clearTimeout(pending.timer)
    this.#outstanding = undefined
    const { entry } = pending
    if (kind === 4) {
      const [, , code, description, details] = frame
      entry.reject(new CallFailed('station', typeof code === 'string' ? code : 'GenericError', typeof description === 'string' ? description.slice(0, 255) : '',
        details !== null && typeof details === 'object' ? details : {}))
    } else {
      const wrong = this.#schemas.check(entry.action, 'response', frame[2])
      if (wrong) {
        this.#bad(socket, 'response', wrong.description)
        // OCPP-066: 2.1 tells the station that its answer was none.
        if (this.version === '2.1') this.#error(socket, 5, id, wrong.code, wrong.description)
        entry.reject(new CallFailed('InvalidResponse', wrong.code, wrong.description))
      } else entry.resolve(frame[2] as Payload)
    }
    this.#pump()
  }

  /** OCPP-052, 066: an answer nobody waits for is logged and counted, applied only when its call is still known, never answered. */
  #strayAnswer(kind: number, id: unknown, frame: unknown[]): void {
    const entry = typeof id === 'string' ? this.#late?.get(id) : undefined
    if (entry && typeof id === 'string') {
      this.#late?.delete(id)
      this.#needs.log.info({ station: this.identity, action: entry.action, clause: 'OCPP-052' }, 'late answer')
      if (kind === 3 && !this.#schemas.check(entry.action, 'response', frame[2])) entry.options.late?.(frame[2] as Payload)
      return
    }
    this.#needs.log.info({ station: this.identity, clause: 'OCPP-066' }, 'answer to nothing')
    this.#count()
  }

  // ---- the station's calls ----

  #receive(socket: WebSocket, text: string): void {
    this.heardAt = performance.now()
    this.missedPings = 0
    this.lastSeenMs = this.#needs.nowMs()
    this.#needs.record(this, 'in', text)
    let frame: unknown
    try {
      frame = JSON.parse(text)
    } catch {
      return this.#unreadable(socket, 'not JSON')
    }
    if (!Array.isArray(frame) || !Number.isInteger(frame[0])) return this.#unreadable(socket, 'not an OCPP-J message')
    const kind = frame[0] as number
    if (kind === 2) return this.#call(socket, frame, text)
    if (kind === 3 || kind === 4) return this.#result(socket, kind, frame)
    if (this.version === '2.1' && kind === 5) return this.#resultRefused(frame)
    if (this.version === '2.1' && kind === 6) return this.#sent(frame)
    this.#count()
    // OCPP-056: 2.0.1 says so, 1.6 and 2.1 ignore the frame.
    if (this.version === '2.0.1') this.#error(socket, 4, this.#readableId(frame[1]) ?? '-1', 'MessageTypeNotSupported', '')
  }

  #readableId(id: unknown): string | undefined {
    return typeof id === 'string' && id.length >= 1 && id.length <= 36 ? id : undefined
  }

  /** OCPP-055: the invalid text is never echoed; 1.6 has FormationViolation for it. */
  #unreadable(socket: WebSocket, why: string): void {
    this.#error(socket, 4, '-1', this.version === '1.6' ? 'FormatViolation' : 'RpcFrameworkError', why)
    this.#bad(socket, 'frame', why)
  }

  #refuse(socket: WebSocket, id: string, code: Code, why: string): void {
    this.#error(socket, 4, id, code, why)
    this.#bad(socket, 'call', why)
  }

  #call(socket: WebSocket, frame: unknown[], raw: string): void {
    const id = this.#readableId(frame[1])
    // OCPP-054: an id that cannot be repeated is answered as "-1".
    if (id === undefined) return this.#refuse(socket, '-1', 'RpcFrameworkError', 'unusable message id')
    const action = frame[2]
    if (typeof action !== 'string' || frame.length !== 4) return this.#refuse(socket, id, 'RpcFrameworkError', 'a CALL has four elements')
    const offered = this.#needs.offered(action, this.version)
    if (offered !== 'yes') return this.#refuse(socket, id, offered === 'unknown' ? 'NotImplemented' : 'NotSupported', '')
    if (this.#repeated(socket, id, raw)) return
    const payload = this.dropNulls ? withoutNulls(frame[3]) : frame[3]
    const wrong = this.#schemas.check(action, 'request', payload)
    if (wrong) return this.#refuse(socket, id, wrong.code, wrong.description)
    const call: Call = { id, action, payload: payload as Payload, raw, socket }
    // OCPP-065: in order of arrival, one at a time; Heartbeat may overtake.
    if (action === 'Heartbeat') return void this.#execute(call)
    if (this.#running) return this.#shelve(call)
    this.#run(call)
  }

  /** OCPP-064: a copy of a CALL in progress or of one already answered is not executed again. */
  #repeated(socket: WebSocket, id: string, raw: string): boolean {
    const twin = this.#running?.id === id ? this.#running : this.#inbox?.find((call) => call.id === id)
    if (twin) {
      if (twin.raw === raw && twin.socket === socket) return true
      if (twin.socket === socket) {
        this.#refuse(socket, id, 'RpcFrameworkError', 'this message id is in progress')
        return true
      }
      return false
    }
    const known = this.#answers?.get(id)
    // Interpretation: the same id with other content is a new CALL, as counters start again when a station restarts.
    if (!known || known.digest !== digest(raw)) return false
    this.#write(socket, known.text)
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
      call = this.#take()
    }
    this.#running = undefined
  }

  #next(): void {
    const call = this.#take()
    if (call) this.#run(call)
    else this.#running = undefined
  }

  #take(): Call | undefined {
    const inbox = this.#inbox
    const call = inbox?.shift()
    if (inbox && inbox.length === 0) {
      this.#inbox = undefined
      if (!this.#choked) this.socket?.resume()
    }
    return call
  }

  /** Executes and answers; returns a promise only when the handler did. It never throws. */
  #execute(call: Call): Promise<void> | undefined {
    // OCPP-083…085: before an Accepted boot only BootNotification and what we asked for.
    if (!this.#needs.mayHear(this, call.action)) {
      this.#error(call.socket, 4, call.id, 'SecurityError', 'the station is not accepted')
      return undefined
    }
    try {
      const answer = this.#needs.answer(this, call.action, call.payload)
      if (answer instanceof Promise) return answer.then((a) => this.#reply(call, a), (e: unknown) => this.#failed(call, e))
      this.#reply(call, answer)
    } catch (error) {
      this.#failed(call, error)
    }
    return undefined
  }

  #reply(call: Call, answer: object): void {
    const wrong = this.#schemas.check(call.action, 'response', answer)
    if (wrong) return this.#failed(call, new Error(`our answer to ${call.action}: ${wrong.description}`))
    const text = JSON.stringify([3, call.id, answer])
    if (!neverRemembered.has(call.action)) {
      const answers = this.#answers ??= new Map()
      answers.delete(call.id)
      answers.set(call.id, { digest: digest(call.raw), text })
      if (answers.size > this.#needs.limits.rememberedAnswers) answers.delete(answers.keys().next().value as string)
    }
    this.#write(call.socket, text)
  }

  #failed(call: Call, error: unknown): void {
    const { code, description, known } = callErrorOf(error)
    if (!known) this.#needs.log.error({ station: this.identity, action: call.action, err: error }, 'a message handler failed')
    this.#error(call.socket, 4, call.id, code, description)
  }

  /** 2.1: the station could not use our answer. */
  #resultRefused(frame: unknown[]): void {
    this.#needs.log.warn({ station: this.identity, code: typeof frame[2] === 'string' ? frame[2].slice(0, 50) : '', clause: 'OCPP-050' }, 'CALLRESULTERROR')
    this.#count()
  }

  /** 2.1: a SEND is never answered, whatever is wrong with it. */
  #sent(frame: unknown[]): void {
    const [, , action, payload] = frame
    if (this.#readableId(frame[1]) === undefined || action !== 'NotifyPeriodicEventStream' || this.#schemas.check(action, 'request', payload)) return this.#count()
    if (this.#needs.mayHear(this, action)) this.#needs.hear(this, action, payload as Payload)
  }

  // ---- writing ----

  #error(socket: WebSocket, kind: 4 | 5, id: string, code: Code, description: string): void {
    this.#write(socket, JSON.stringify([kind, id, spell(code, this.version), description.slice(0, 255), {}]))
  }

  /** OCPP-069: no unbounded buffering: a station that does not read is first not heard, then closed. */
  #write(socket: WebSocket | undefined, text: string): void {
    if (socket?.readyState !== open) return
    this.#needs.record(this, 'out', text)
    socket.send(text)
    const buffered = socket.bufferedAmount
    if (buffered > this.#needs.limits.closeAtBytes) {
      this.#needs.alarm(this, 'slow consumer')
      socket.close(1013, 'slow consumer')
      socket.terminate()
    } else if (buffered > this.#needs.limits.pauseAtBytes && !this.#choked) {
      this.#choked = true
      socket.pause()
    }
  }

  #bad(socket: WebSocket, what: string, why: string): void {
    this.#needs.log.debug({ station: this.identity, what, why }, 'bad frame')
    this.#count(socket)
  }

  /** OCPP-067: the bad-frame budget of the station, over all its sockets. */
  #count(socket = this.socket): void {
    const now = performance.now(), { badFrames, badFrameWindowMs } = this.#needs.limits
    if (now - this.#badSince > badFrameWindowMs) {
      this.#badSince = now
      this.#badFrames = 0
    }
    this.#badFrames += 1
    if (this.#badFrames < badFrames) return
    this.#badFrames = 0
    this.#needs.alarm(this, 'too many bad frames')
    socket?.close(1008, 'too many bad frames')
  }
}

/** OCPP-062: a quirk of some stations: `null` for an absent optional field. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== null).map(([k, v]) => [k, withoutNulls(v)]))
}
