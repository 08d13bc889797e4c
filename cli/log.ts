import { writeSync } from 'node:fs'
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
  if (file === undefined) return pino(options, steadyStdout()) as unknown as Log
  const destination = pino.destination({ dest: file, mkdir: true, sync: false })
  destination.on('error', () => {})
  return pino(options, destination) as unknown as Log
}

const pause = new Int32Array(new SharedArrayBuffer(4))

/** REL-028: a full or broken log never stops the work, and is not tried for ever: what cannot be written is lost, the next line is tried again. */
function steadyStdout(): { write(line: string): void } {
  return {
    write(line) {
      const bytes = Buffer.from(line)
      for (let at = 0, tries = 0; at < bytes.length && tries < 20;) {
        try {
          at += writeSync(1, bytes, at)
        } catch (error) {
          // a pipe whose reader is slow is asked again; a full disk and a reader that has gone are not
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
          tries += 1
          Atomics.wait(pause, 0, 0, 5)
        }
      }
    },
  }
}

/** What a log may say of an error: never the objects that libraries hang on it (connections, requests, rows). */
function plainError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error)
  const { name, message, stack, code, cause } = error as Error & { code?: unknown }
  return { type: name, message, ...(code === undefined ? {} : { code: String(code) }), stack, ...(cause === undefined ? {} : { cause: plainError(cause) }) }
}
