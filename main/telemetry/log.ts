import type { Log } from '#core/port/log.js'

/** The same log, whose lines also say what `fields` says at that moment (UX-070). */
export function saying(log: Log, fields: () => object): Log {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (given: object, message?: string): void => log[level]({ ...fields(), ...given }, message)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: (more) => saying(log.child(more), fields), ...(log.lines ? { lines: log.lines } : {}) }
}
