/** The part of pino that rooms use; lines carry caller, resource and clause. */
export interface Log {
  debug(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
  child(fields: object): Log
}

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }
