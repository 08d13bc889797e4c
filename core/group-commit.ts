import { gather } from '#core/gather.js'

export interface GroupCommit<T> {
  /** Resolves once the item is committed; rejects with what refused it. */
  add(item: T): Promise<void>
  /** Resolves when all that was added is committed or refused. */
  settled(): Promise<void>
}

/** What many say in the same moments is committed together, and each waits for the commit before it is acknowledged; `flush` is one transaction (`gather` has the rules). */
export function groupCommit<T>(flush: (items: readonly T[]) => Promise<void>, options: { most?: number; fellApart?: (error: unknown, items: number) => void } = {}): GroupCommit<T> {
  const { ask, settled } = gather<T, void>(async (items) => {
    await flush(items)
    return items.map(() => undefined)
  }, options)
  return { add: ask, settled }
}
