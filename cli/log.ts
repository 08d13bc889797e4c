import { pino } from 'pino'
import type { Log } from '#core/port/log.js'

/** JSON lines on stderr-free stdout by default; `up` sends them to a file so that its screen stays readable. Secrets never get here. */
export function makeLog(level: string, file?: string): Log {
  const options = {
    level,
    base: null,
    redact: { paths: ['req.headers.authorization', 'headers.authorization', 'password', 'secret', 'token', '*.password', '*.secret', '*.token'], censor: '[secret]' },
    serializers: { err: plainError, error: plainError },
  }
  return (file === undefined ? pino(options) : pino(options, pino.destination({ dest: file, mkdir: true, sync: false }))) as unknown as Log
}

/** What a log may say of an error: never the objects that libraries hang on it (connections, requests, rows). */
function plainError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error)
  const { name, message, stack, code, cause } = error as Error & { code?: unknown }
  return { type: name, message, ...(code === undefined ? {} : { code: String(code) }), stack, ...(cause === undefined ? {} : { cause: plainError(cause) }) }
}
