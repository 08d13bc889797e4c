import type { LogLines } from '#core/words/log-lines.js'

/** The part of pino that rooms use; lines carry caller, resource and clause. */
export interface Log {
  debug(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
  child(fields: object): Log
  /** Its last lines, where it keeps them. */
  readonly lines?: LogLines
}

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }
