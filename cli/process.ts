import type { Log } from '#core/port/log.js'

/**
 * Ends the process cleanly on SIGTERM and SIGINT (REL-003): `stop` once, within `patience_ms`; a second signal exits now.
 * Resolves when a signal has come and `stop` is done, with the exit code the process should have.
 */
export function untilSignal(stop: () => Promise<void>, log: Log, patience_ms = 8000): Promise<number> {
  return new Promise((resolve) => {
    let stopping = false
    const onSignal = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(signal === 'SIGINT' ? 130 : 1)
      stopping = true
      const late = setTimeout(() => { log.error({}, 'shutdown took too long'); process.exit(1) }, patience_ms)
      stop().then(() => { clearTimeout(late); resolve(lastSay(signal === 'SIGINT' ? 130 : 0)) }, (error: unknown) => { log.error({ err: error }, 'shutdown failed'); process.exit(1) })
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

/** What somebody forgot to close does not keep a process that was told to end. */
function lastSay(code: number, grace_ms = 250): number {
  setTimeout(() => process.exit(code), grace_ms).unref()
  return code
}

/** What is being built, or the exit code when a signal came first: then its failure is no news. */
export const orSignal = <T>(building: Promise<T>, stopping: AbortSignal, signalled: Promise<number>): Promise<T | number> =>
  Promise.race([building.catch((error: unknown) => { if (stopping.aborted) return signalled; throw error }), signalled])

/** A throw that nothing caught: it is logged with its cause; one request dies, not the process (REL-006). */
export function outlive(log: Log): void {
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  process.on('uncaughtException', (error) => {
    log.error({ err: error }, 'uncaught exception')
    // A broken pipe or a dead socket is one peer's end; anything else may have left state in doubt, so the supervisor restarts us.
    if (!/^(EPIPE|ECONNRESET|ERR_STREAM|ERR_SSL|ETIMEDOUT|ERR_HTTP)/.test(String((error as NodeJS.ErrnoException).code))) process.exit(1)
  })
}
