import type { Log } from '#core/port/log.js'
import type { DocumentStore, NewDocument } from '#core/port/store/document.js'

interface Waiting {
  readonly documents: readonly NewDocument[]
  readonly done: () => void
  readonly fail: (error: unknown) => void
}

/** One write of documents that shall stand or fall together. Resolves once committed. */
export interface Journal {
  write(documents: readonly NewDocument[]): Promise<void>
  /** Resolves when all that was written is committed. */
  settled(): Promise<void>
}

const most = 500, lanes = 3

/**
 * Group commit: what many stations write in the same moments goes to the database as one statement, and each waits for its
 * commit before it is acknowledged. Later states of the same document in one batch win; the statement takes a row once.
 */
export function journal(needs: { documents: Pick<DocumentStore, 'insertMany'>; nowMs: () => number; log: Log }): Journal {
  // A few lanes keep the database busy while we serialize; a station stays in its lane, so its documents keep their order.
  const all = Array.from({ length: lanes }, () => lane(needs))
  return {
    write(documents) {
      const first = documents[0]
      return first ? (all[laneOf((first.parent || first.id).split('/', 1)[0] as string)] as Journal).write(documents) : Promise.resolve()
    },
    settled: async () => { await Promise.all(all.map((one) => one.settled())) },
  }
}

function laneOf(station: string): number {
  let h = 0
  for (let i = 0; i < station.length; i += 1) h = Math.imul(h, 31) + station.charCodeAt(i) | 0
  return Math.abs(h) % lanes
}

function lane({ documents, nowMs, log }: { documents: Pick<DocumentStore, 'insertMany'>; nowMs: () => number; log: Log }): Journal {
  let queue: Waiting[] = []
  let running: Promise<void> | undefined

  async function flush(batch: Waiting[]): Promise<void> {
    const rows = new Map<string, NewDocument>()
    for (const { documents } of batch) for (const d of documents) rows.set(`${d.tenant}\n${d.kind}\n${d.id}`, d)
    try {
      await documents.insertMany([...rows.values()], nowMs(), { onConflict: 'replace' })
      for (const { done } of batch) done()
    } catch (error) {
      // One bad row must not take the others with it: each write is tried alone.
      if (batch.length === 1) return (batch[0] as Waiting).fail(error)
      log.warn({ err: error, writes: batch.length }, 'a batch failed; writing one by one')
      for (const one of batch) await flush([one])
    }
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.slice(0, most)
      queue = queue.slice(most)
      await flush(batch)
    }
    running = undefined
  }

  return {
    write: (documents) => new Promise<void>((done, fail) => {
      queue.push({ documents, done, fail })
      running ??= new Promise<void>((turn) => setImmediate(turn)).then(drain)
    }),
    settled: async () => {
      for (let at = running; at; at = running) await at
    },
  }
}
