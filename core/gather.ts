import { isRefusal } from '#core/error.js'

interface Waiting<Q, A> {
  readonly question: Q
  readonly done: (answer: A) => void
  readonly fail: (error: unknown) => void
}

export interface Gathering<Q, A> {
  /** Resolves with the answer to this question; rejects with what went wrong with it. */
  ask(question: Q): Promise<A>
  /** Resolves when all that was asked is answered or refused. */
  settled(): Promise<void>
}

/**
 * What many ask in the same moments is asked together, in the order it came; what comes meanwhile waits for the next round, so an answer is
 * never older than its question. `ask` answers each question at its place, and stands or falls as a whole. One bad question must not take the
 * others with it: when a round fails, each is tried alone; but a database that does not answer is not asked again for each.
 */
export function gather<Q, A>(ask: (questions: readonly Q[]) => Promise<readonly A[]>, { most = 500, fellApart = () => {} }: { most?: number; fellApart?: (error: unknown, questions: number) => void } = {}): Gathering<Q, A> {
  let queue: Waiting<Q, A>[] = []
  let running: Promise<void> | undefined

  async function round(batch: readonly Waiting<Q, A>[]): Promise<void> {
    try {
      const answers = await ask(batch.map(({ question }) => question))
      batch.forEach(({ done }, i) => done(answers[i]!))
    } catch (error) {
      if (batch.length === 1 || (isRefusal(error) && error.kind === 'unavailable')) return batch.forEach(({ fail }) => fail(error))
      fellApart(error, batch.length)
      for (const one of batch) await round([one])
    }
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.slice(0, most)
      queue = queue.slice(most)
      await round(batch)
    }
    running = undefined
  }

  return {
    ask: (question) => new Promise((done, fail) => {
      queue.push({ question, done, fail })
      // a turn's grace: what arrives in the same moment goes along
      running ??= new Promise<void>((turn) => setImmediate(turn)).then(drain)
    }),
    settled: async () => {
      for (let at = running; at; at = running) await at
    },
  }
}
