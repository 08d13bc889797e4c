import { writeSync } from 'node:fs'
import { pino, type Logger } from 'pino'
import type { Log } from '#core/port/log.js'
import { LogLines } from '#core/words/log-lines.js'

/** A log whose least level can be changed while it is in use, in all its children too (UX-070). */
export interface LeveledLog extends Log { setLevel(level: string): void }

/** JSON lines on stderr-free stdout by default; `up` sends them to a file so that its screen stays readable. Secrets never get here. */
export function makeLog(level: string, file?: string): LeveledLog {
  const options = {
    level: 'debug',
    base: null,
    redact: { paths: ['req.headers.authorization', 'headers.authorization', 'password', 'secret', 'token', '*.password', '*.secret', '*.token'], censor: '[secret]' },
    serializers: { err: plainError, error: plainError },
  }
  const least = { value: levelOf(level) }
  const lines = new LogLines(), kept = (out: { write(line: string): unknown }) => ({ write(line: string): void { lines.add(line); out.write(line) } })
  if (file === undefined) return gated(pino(options, kept(steadyStdout())), least, lines)
  const destination = pino.destination({ dest: file, mkdir: true, sync: false })
  destination.on('error', () => {})
  return gated(pino(options, kept(destination)), least, lines)
}

const levelOf = (name: string): number => pino.levels.values[name] ?? 40

/** The gate stands before pino: a child of pino keeps the level that it was born with. */
function gated(base: Logger, least: { value: number }, lines: LogLines): LeveledLog {
  const at = (name: 'debug' | 'info' | 'warn' | 'error') => {
    const own = levelOf(name)
    return (fields: object, message?: string): void => { if (own >= least.value) base[name](fields, message) }
  }
  return {
    debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'),
    child: (fields) => gated(base.child(fields), least, lines), lines,
    setLevel(level) { least.value = levelOf(level) },
  }
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
