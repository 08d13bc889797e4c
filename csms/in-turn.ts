/** Work with the same key is done in turn, in the order it was given; one that fails is told to whoever gave it and stops none after it. */
export type InTurn<K> = <T>(key: K, work: () => Promise<T>) => Promise<T>

export function inTurn<K>(): InTurn<K> {
  const lines = new Map<K, Promise<void>>()
  return (key, work) => {
    const mine = (lines.get(key) ?? Promise.resolve()).then(work), over = mine.then(() => {}, () => {})
    lines.set(key, over)
    void over.then(() => { if (lines.get(key) === over) lines.delete(key) })
    return mine
  }
}
