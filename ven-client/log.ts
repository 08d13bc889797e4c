/** The part of pino (or any logger of that shape) that the client uses; never given a token or a secret. */
export interface Log {
  debug(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
}

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
