import type { Clock } from '#core/port/clock.js'
import type { Resource } from '#core/describe/resource.js'
import type { EventValue, Line } from '#ven-client/csip/event-line.js'
import type { Said } from '#ven-client/csip/response.js'
import type { CsipStore } from '#ven-client/csip/store.js'
import { CsipError, type CsipWire } from '#ven-client/csip/transport.js'
import type { Log } from '#ven-client/log.js'

export interface Answering<E extends EventValue> {
  readonly line: Line<E>
  /** Statuses that are due now, knowing those that were said. */
  readonly due: (said: Said) => readonly number[]
}

export interface AnswersOptions<E extends EventValue> {
  readonly lfdi: string
  readonly clock: Pick<Clock, 'nowMs'>
  readonly log: Log
  /** The kind of Response (SEP-180). */
  readonly description: Resource
  /** Members of that kind beside those that all Responses have. */
  readonly own?: (event: E, status: number) => object
  /** Stands before the mRID in the store, where several kinds of events share one. */
  readonly keyPrefix?: string
  readonly onResponse?: ((mRID: string, status: number) => void) | undefined
  /** Told when an event is over for so long that nothing of it need be remembered. */
  readonly forgotten?: (mRID: string) => void
}

export interface Answers<E extends EventValue> {
  /** What an earlier process has said of events that may still be listed. */
  remember(): Promise<void>
  give(answering: readonly Answering<E>[]): Promise<void>
}

/** Says each Response once, over restarts too (SEP-183): what was said is kept a day beyond the end of its event, for servers that show an event again. */
export function answersOf<E extends EventValue>(wire: CsipWire, store: CsipStore['said'], options: AnswersOptions<E>): Answers<E> {
  const { lfdi, clock, log, keyPrefix = '' } = options
  const said = new Map<string, Set<number>>(), lastSeen = new Map<string, number>()
  let remembered = false

  async function give(answering: readonly Answering<E>[]): Promise<void> {
    for (const { line, due } of answering) {
      const { mRID, replyTo } = line.control
      const memory = said.get(mRID) ?? new Set<number>()
      said.set(mRID, memory)
      for (const status of due(memory)) {
        try {
          await wire.write('POST', options.description, replyTo as string, {
            createdDateTime: Math.floor(clock.nowMs() / 1000), endDeviceLFDI: lfdi, status, subject: mRID, ...options.own?.(line.control, status),
          })
          memory.add(status)
          await store.put({ key: keyPrefix + mRID, statuses: [...memory], lastSeen: line.end })
          options.onResponse?.(mRID, status)
        } catch (error) {
          log.warn({ lfdi, mRID, status, error: (error as Error).message }, 'response not taken')
          const refused = error instanceof CsipError && error.status >= 400 && error.status < 500 && error.status !== 429
          if (!refused) return                                     // due again at the next poll
          memory.add(status)
        }
      }
    }
    await forget(answering)
  }

  async function forget(answering: readonly Answering<E>[]): Promise<void> {
    const now = clock.nowMs()
    for (const { line } of answering) lastSeen.set(line.control.mRID, Math.max(now, line.end))
    for (const [mRID, at] of lastSeen) if (now - at > 86_400_000) {
      said.delete(mRID)
      lastSeen.delete(mRID)
      options.forgotten?.(mRID)
      await store.remove(keyPrefix + mRID)
    }
  }

  return {
    give,
    async remember() {
      if (remembered) return
      for (const { key, statuses, lastSeen: at } of await store.all()) {
        if (!key.startsWith(keyPrefix)) continue
        const mRID = key.slice(keyPrefix.length)
        said.set(mRID, new Set([...statuses, ...said.get(mRID) ?? []]))
        lastSeen.set(mRID, at)
      }
      remembered = true
    },
  }
}
