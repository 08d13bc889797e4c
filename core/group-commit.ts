import { isRefusal } from '#core/error.js'

interface Waiting<T> {
  readonly item: T
  readonly done: () => void
  readonly fail: (error: unknown) => void
}

export interface GroupCommit<T> {
  /** Resolves once the item is committed; rejects with what refused it. */
  add(item: T): Promise<void>
  /** Resolves when all that was added is committed or refused. */
  settled(): Promise<void>
}

/**
 * What many say in the same moments is committed together, in the order it was said, and each waits for the commit before it is
 * acknowledged. `flush` stands or falls as a whole. One bad item must not take the others with it: when a flush fails, each item is tried
 * alone; but a database that does not answer is not asked again for each.
 */
export function groupCommit<T>(flush: (items: readonly T[]) => Promise<void>, { most = 500, fellApart = () => {} }: { most?: number; fellApart?: (error: unknown, items: number) => void } = {}): GroupCommit<T> {
  let queue: Waiting<T>[] = []
  let running: Promise<void> | undefined

  async function commit(batch: readonly Waiting<T>[]): Promise<void> {
    try {
      await flush(batch.map(({ item }) => item))
      for (const { done } of batch) done()
    } catch (error) {
      if (batch.length === 1 || (isRefusal(error) && error.kind === 'unavailable')) return batch.forEach(({ fail }) => fail(error))
      fellApart(error, batch.length)
      for (const one of batch) await commit([one])
    }
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.slice(0, most)
      queue = queue.slice(most)
      await commit(batch)
    }
    running = undefined
  }

  return {
    add: (item) => new Promise((done, fail) => {
      queue.push({ item, done, fail })
      // a turn's grace: what arrives in the same moment goes along
      running ??= new Promise<void>((turn) => setImmediate(turn)).then(drain)
    }),
    settled: async () => {
      for (let at = running; at; at = running) await at
    },
  }
}
