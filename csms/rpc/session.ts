import type { WebSocket } from 'ws'
import { CallsIn, readableId } from './calls-in.js'
import { CallsOut } from './calls-out.js'
import { CallFailed, spell, type Code } from './error-code.js'
import type { CallOptions, Payload } from './outgoing.js'
import { schemasOf, type Schemas } from './schema.js'
import type { SessionNeeds } from './session-needs.js'
import type { Version } from './version.js'

export { sessionLimits, type SessionLimits, type SessionNeeds } from './session-needs.js'

const open = 1

/**
 * The RPC framework of OCPP-J (OCPP 2.0.1 Part 4, chapter 4) for one station: its socket and its frames. It outlives its sockets:
 * a newer one takes the older one's place (OCPP-011), while the queue, the remembered answers and the bad-frame count stay.
 */
export class Session {
  readonly identity: string
  version: Version = '2.0.1'
  schemas: Schemas = schemasOf('2.0.1')
  socket: WebSocket | undefined
  /** Machine ms of the last sign of life, and of our last unanswered ping. */
  heardAt = 0
  pingedAt = 0
  missedPings = 0
  /** Epoch ms (our clock) of the last frame; for the station page. */
  lastSeenMs = 0
  dropNulls = false
  /** The station does not read fast enough: we neither read nor call until it does (OCPP-069). */
  choked = false
  readonly #needs: SessionNeeds
  readonly #out: CallsOut
  readonly #in: CallsIn
  #badFrames = 0
  #badSince = 0

  constructor(identity: string, needs: SessionNeeds) {
    this.identity = identity
    this.#needs = needs
    this.#out = new CallsOut(this, needs)
    this.#in = new CallsIn(this, needs)
  }

  get online(): boolean {
    return this.socket !== undefined
  }

  get waiting(): number {
    return this.#out.waiting
  }

  /** What the station spoke when it was last here: what waits for it is made in that form. */
  speaks(version: Version): void {
    this.version = version
    this.schemas = schemasOf(version)
  }

  /** A newly authenticated socket takes over; the old one is closed and what waited on it fails (OCPP-011, REL-041). */
  attach(socket: WebSocket, version: Version): void {
    const old = this.socket
    if (old) this.#detach(old, 1000, 'replaced by a newer connection')
    this.socket = socket
    this.speaks(version)
    this.missedPings = 0
    this.choked = false
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
    this.#out.drop(why === 'closing' ? new CallFailed('closed', '', 'the server is closing') : new CallFailed('replaced', '', 'another process has the station'))
  }

  /** Lets waiting calls go, e.g. after an Accepted boot. */
  wake(): void {
    this.#out.pump()
  }

  /** Sends a CALL when its turn comes; resolves with the station's validated answer, rejects with CallFailed. */
  call(action: string, payload: object, options: CallOptions = {}): Promise<Payload> {
    return this.#out.call(action, payload, options)
  }

  /** OCPP-014, REL-040: a probe that does not depend on the last pong; a second miss ends the connection. */
  probe(nowMachine: number, intervalMs: number): void {
    const { socket } = this
    if (!socket) return
    if (this.choked && socket.bufferedAmount < this.#needs.limits.pauseAtBytes) {
      this.choked = false
      socket.resume()
      this.#out.pump()
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

  /** An unanswered SEND (2.1 only). */
  send(action: string, payload: object): void {
    if (this.socket) this.write(this.socket, JSON.stringify([6, this.#needs.ids.uuid(), action, payload]))
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
    this.#in.cut()
    if (socket.readyState <= open) {
      socket.close(code, reason)
      setTimeout(() => socket.terminate(), 2000).unref()
    }
    this.#out.cut()
    this.#needs.gone(this)
  }

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
    if (kind === 2) return this.#in.take(socket, frame, text)
    if (kind === 3 || kind === 4) return this.#out.answered(kind, frame)
    if (this.version === '2.1' && kind === 5) return this.#resultRefused(frame)
    if (this.version === '2.1' && kind === 6) return this.#sent(frame)
    this.count()
    // OCPP-056: 2.0.1 says so, 1.6 and 2.1 ignore the frame.
    if (this.version === '2.0.1') this.fail(socket, 4, readableId(frame[1]) ?? '-1', 'MessageTypeNotSupported', '')
  }

  /** OCPP-055: the invalid text is never echoed; 1.6 has FormationViolation for it. */
  #unreadable(socket: WebSocket, why: string): void {
    this.fail(socket, 4, '-1', this.version === '1.6' ? 'FormatViolation' : 'RpcFrameworkError', why)
    this.bad('frame', why, socket)
  }

  /** 2.1: the station could not use our answer. */
  #resultRefused(frame: unknown[]): void {
    this.#needs.log.warn({ station: this.identity, code: typeof frame[2] === 'string' ? frame[2].slice(0, 50) : '', clause: 'OCPP-050' }, 'CALLRESULTERROR')
    this.count()
  }

  /** 2.1: a SEND is never answered, whatever is wrong with it. */
  #sent(frame: unknown[]): void {
    const [, , action, payload] = frame
    if (readableId(frame[1]) === undefined || action !== 'NotifyPeriodicEventStream' || this.schemas.check(action, 'request', payload)) return this.count()
    if (this.#needs.mayHear(this, action)) this.#needs.hear(this, action, payload as Payload)
  }

  /** A CALLERROR (4), or a CALLRESULTERROR (5) of 2.1. */
  fail(socket: WebSocket, kind: 4 | 5, id: string, code: Code, description: string): void {
    this.write(socket, JSON.stringify([kind, id, spell(code, this.version), description.slice(0, 255), {}]))
  }

  /** OCPP-069: no unbounded buffering: a station that does not read is first not heard, then closed. */
  write(socket: WebSocket, text: string): void {
    if (socket.readyState !== open) return
    this.#needs.record(this, 'out', text)
    socket.send(text)
    const buffered = socket.bufferedAmount
    if (buffered > this.#needs.limits.closeAtBytes) {
      this.#needs.alarm(this, 'slow consumer')
      socket.close(1013, 'slow consumer')
      socket.terminate()
    } else if (buffered > this.#needs.limits.pauseAtBytes && !this.choked) {
      this.choked = true
      socket.pause()
    }
  }

  bad(what: string, why: string, socket = this.socket): void {
    this.#needs.log.debug({ station: this.identity, what, why }, 'bad frame')
    this.count(socket)
  }

  /** OCPP-067: the bad-frame budget of the station, over all its sockets. */
  count(socket = this.socket): void {
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
