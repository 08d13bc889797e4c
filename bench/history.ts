import { rounded, type Emit } from '#bench/figure.js'
import { capacityHistory } from '#core/dispatch/capacity-history.js'

const operations = 10_000

/**
 * REL-026: 10,000 random operations by 32 operators at once (orders, cancels, reallocations, nominations, enrolments, opt-outs) that compete for the
 * same devices, replayed against the trail: capacity is never sold twice and nobody is refused what is free. The ordinary test runs fewer.
 */
export default async function history(emit: Emit): Promise<void> {
  const closing: (() => unknown)[] = []
  try {
    const { answers, unexpected, violations, races, replayed, seconds } = await capacityHistory({ teardown: (close: () => unknown) => void closing.push(close) }, { operations, operators: 32, points: 4, seed: 26 })
    for (const wrong of [...unexpected, ...violations].slice(0, 20)) process.stderr.write(`${wrong}\n`)
    process.stderr.write(`${JSON.stringify(answers)}\n`)
    const n = Object.values(answers).reduce((sum, x) => sum + x, 0)
    emit({ name: 'history violations', value: violations.length, unit: '', n })
    emit({ name: 'history unexpected answers', value: unexpected.length, unit: '', n })
    emit({ name: 'history deadlocks', value: races, unit: '', n })
    emit({ name: 'history operations', value: rounded(n / seconds), unit: '1/s', n })
    emit({ name: 'history orders', value: replayed.published, unit: '', n })
  } finally {
    for (const close of closing.toReversed()) await close()
  }
}
