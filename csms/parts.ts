import type { Clock, Timer } from '#core/port/clock.js'
import type { Station } from './station.js'

/** What became of an answer in parts: all there, some missing, or no end within the time allowed (OCPP-092). */
export interface Joined {
  readonly state: 'complete' | 'gap' | 'timedOut'
  readonly items: readonly unknown[]
}

interface Open {
  readonly parts: Map<number, readonly unknown[]>
  last: number | undefined
  timer: Timer | undefined
  readonly done: (joined: Joined) => void
}

export interface Parts {
  /** Waits for the parts that answer a request; opened before the request goes out. */
  expect(station: Station, message: string, requestId: number): Promise<Joined>
  part(station: Station, message: string, requestId: number, seqNo: number, tbc: boolean, items: readonly unknown[]): void
  /** A part without a number, in the order of arrival. */
  next(station: Station, message: string, requestId: number, tbc: boolean, items: readonly unknown[]): void
}

const patience_ms = 120_000

/** Joins parts by station, message and requestId. seqNo may begin at 0 or at 1; duplicates and disorder are no matter. */
export function partsJoiner(clock: Clock): Parts {
  const open = new Map<string, Open>()
  const keyOf = (station: Station, message: string, requestId: number): string => `${station.tenant} ${station.identity} ${message} ${requestId}`

  function finish(key: string, o: Open, state: Joined['state']): void {
    o.timer?.cancel()
    open.delete(key)
    o.done({ state, items: [...o.parts.entries()].sort(([a], [b]) => a - b).flatMap(([, items]) => items) })
  }

  function wait(key: string, o: Open): void {
    o.timer?.cancel()
    o.timer = clock.after(patience_ms, () => finish(key, o, o.last === undefined ? 'timedOut' : 'gap'))
  }

  const joiner: Parts = {
    next(station, message, requestId, tbc, items) {
      const o = open.get(keyOf(station, message, requestId))
      if (o) joiner.part(station, message, requestId, o.parts.size, tbc, items)
    },
    expect: (station, message, requestId) => new Promise((done) => {
      const key = keyOf(station, message, requestId)
      const o: Open = { parts: new Map(), last: undefined, timer: undefined, done }
      open.set(key, o)
      wait(key, o)
    }),
    part(station, message, requestId, seqNo, tbc, items) {
      const key = keyOf(station, message, requestId), o = open.get(key)
      if (!o) return
      if (!o.parts.has(seqNo)) o.parts.set(seqNo, items)
      if (!tbc) o.last = seqNo
      const first = o.parts.has(0) ? 0 : 1
      if (o.last !== undefined && o.parts.size >= o.last - first + 1) finish(key, o, 'complete')
      else wait(key, o)
    },
  }
  return joiner
}
