import type { buildConnector } from 'undici'

/**
 * Lets at most so many TLS handshakes be under way at once. A thousand real devices have a processor each; a thousand simulated ones share
 * one, and if all shook hands together, each would take longer than anybody waits, and all would begin again.
 */
export function turns(most: number): (connector: buildConnector.connector) => buildConnector.connector {
  const waiting: (() => void)[] = []
  let under = 0
  const next = (): void => {
    while (under < most && waiting.length > 0) {
      under += 1
      waiting.shift()!()
    }
  }
  return (connector) => (options, callback) => {
    waiting.push(() => connector(options, (...result) => {
      under -= 1
      callback(...result)
      next()
    }))
    next()
  }
}
