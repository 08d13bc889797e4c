import { Refusal } from '#core/error.js'
import { CallFailed } from './error-code.js'
import { CallQueue, priorities, type CallOptions, type Outgoing, type Payload } from './outgoing.js'
import type { Session } from './session.js'
import type { SessionNeeds } from './session-needs.js'

/** Time-outs of actions that may take longer (OCPP-052). */
const slow: Record<string, number> = {
  GetCompositeSchedule: 60_000, InstallCertificate: 60_000, CertificateSigned: 120_000, DeleteCertificate: 60_000,
}

interface Pending {
  readonly id: string
  readonly entry: Outgoing
  readonly timer: NodeJS.Timeout
}

/** Our CALLs to one station: one outstanding, the others in line by urgency (OCPP-051, 052, 068). It outlives sockets. */
export class CallsOut {
  readonly #session: Session
  readonly #needs: SessionNeeds
  #queue: CallQueue | undefined
  #outstanding: Pending | undefined
  /** Calls that were given up, for the answer that comes after all. */
  #late: Map<string, Outgoing> | undefined

  constructor(session: Session, needs: SessionNeeds) {
    this.#session = session
    this.#needs = needs
  }

  get waiting(): number {
    return (this.#queue?.size ?? 0) + (this.#outstanding ? 1 : 0)
  }

  /** Sends a CALL when its turn comes; resolves with the station's validated answer, rejects with CallFailed. */
  call(action: string, payload: object, options: CallOptions): Promise<Payload> {
    const { schemas, version, online } = this.#session
    if (!schemas.has(action, 'request')) return Promise.reject(new Refusal('unsupported', `${action} is not an action of OCPP ${version}`))
    const wrong = schemas.check(action, 'request', payload)
    if (wrong) return Promise.reject(new Refusal('invalid', `${action}: ${wrong.description}`, { faults: [{ path: wrong.description, reason: wrong.code }] }))
    if (!online && options.offline !== 'wait') return Promise.reject(new CallFailed('closed', '', 'the station is offline'))
    return new Promise((resolve, reject) => {
      const rank = priorities.indexOf(options.priority ?? 'user')
      ;(this.#queue ??= new CallQueue(this.#needs.limits.queue)).push({ action, version, payload, options, rank, resolve, reject })
      this.pump()
    })
  }

  /** The next CALL goes after result, error or time-out of the last. */
  pump(): void {
    const { socket, choked } = this.#session
    if (this.#outstanding || !socket || choked || !this.#queue?.size) return
    const entry = this.#queue.take(this.#needs.nowMs(), (action) => this.#needs.mayCall(this.#session, action))
    if (!entry) return
    // OCPP-010: it was made for the version that the station spoke before; who waits for it makes it anew.
    if (entry.version !== this.#session.version) {
      entry.reject(new CallFailed('closed', '', 'the station speaks another version now'))
      return this.pump()
    }
    const id = this.#needs.ids.uuid()
    const timeout = entry.options.timeoutMs ?? slow[entry.action] ?? this.#needs.limits.callTimeoutMs
    const timer = setTimeout(() => this.#timedOut(id), timeout)
    this.#outstanding = { id, entry, timer }
    this.#session.write(socket, JSON.stringify([2, id, entry.action, entry.payload]))
  }

  /** The socket is gone: who waited on it fails, and who will not wait for the next one. */
  cut(): void {
    const closed = new CallFailed('closed', '', 'the connection ended before the answer')
    const pending = this.#outstanding
    this.#outstanding = undefined
    if (pending) {
      clearTimeout(pending.timer)
      pending.entry.reject(closed)
    }
    this.#queue?.drop(closed, 'impatient')
  }

  drop(error: CallFailed): void {
    this.#queue?.drop(error, 'all')
  }

  /** A CALLRESULT (3) or CALLERROR (4). */
  answered(kind: 3 | 4, frame: unknown[]): void {
    const id = frame[1], pending = this.#outstanding
    if (typeof id !== 'string' || pending?.id !== id) return this.#stray(kind, id, frame)
    clearTimeout(pending.timer)
    this.#outstanding = undefined
    if (kind === 4) pending.entry.reject(refusalOf(frame))
    else this.#result(pending.entry, id, frame[2])
    this.pump()
  }

  #result(entry: Outgoing, id: string, payload: unknown): void {
    const { schemas, version, socket } = this.#session
    const wrong = schemas.check(entry.action, 'response', payload)
    if (!wrong) return entry.resolve(payload as Payload)
    this.#session.bad('response', wrong.description)
    // OCPP-066: 2.1 tells the station that its answer was none.
    if (version === '2.1' && socket) this.#session.fail(socket, 5, id, wrong.code, wrong.description)
    entry.reject(new CallFailed('InvalidResponse', wrong.code, wrong.description))
  }

  #timedOut(id: string): void {
    const pending = this.#outstanding
    if (pending?.id !== id) return
    this.#outstanding = undefined
    const late = this.#late ??= new Map()
    late.set(id, pending.entry)
    if (late.size > 20) late.delete(late.keys().next().value as string)
    pending.entry.reject(new CallFailed('timeout', '', `no answer to ${pending.entry.action}`))
    this.pump()
  }

  /** OCPP-052, 066: an answer nobody waits for is logged and counted, applied only when its call is still known, never answered. */
  #stray(kind: 3 | 4, id: unknown, frame: unknown[]): void {
    const { identity: station, schemas } = this.#session
    const entry = typeof id === 'string' ? this.#late?.get(id) : undefined
    if (entry && typeof id === 'string') {
      this.#late?.delete(id)
      this.#needs.log.info({ station, action: entry.action, clause: 'OCPP-052' }, 'late answer')
      if (kind === 3 && !schemas.check(entry.action, 'response', frame[2])) entry.options.late?.(frame[2] as Payload)
      return
    }
    this.#needs.log.info({ station, clause: 'OCPP-066' }, 'answer to nothing')
    this.#session.count()
  }
}

function refusalOf([, , code, description, details]: unknown[]): CallFailed {
  return new CallFailed('station', typeof code === 'string' ? code : 'GenericError', typeof description === 'string' ? description.slice(0, 255) : '',
    details !== null && typeof details === 'object' ? details : {})
}
