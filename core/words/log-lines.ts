export interface LogLine { readonly at: string; readonly level: string; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }

const levels: Readonly<Record<number, string>> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }

/** The last lines of this process's log, bounded in bytes, so that one search finds them beside orders and frames (UX-077). Secrets were masked before they got here. */
export class LogLines {
  readonly #lines: string[] = []
  readonly #most: number
  #first = 0
  #bytes = 0

  constructor(bytes = 4 * 2 ** 20) {
    this.#most = bytes
  }

  add(line: string): void {
    this.#lines.push(line)
    this.#bytes += line.length
    while (this.#bytes > this.#most) this.#bytes -= this.#lines[this.#first++]!.length
    if (this.#first > 1024 && this.#first * 2 > this.#lines.length) {
      this.#lines.splice(0, this.#first)
      this.#first = 0
    }
  }

  /** Newest first: lines that hold one of the words, and are of this tenant or of none. */
  find(words: readonly string[], tenant: string, limit: number): LogLine[] {
    const wanted = words.map((w) => w.toLowerCase()), out: LogLine[] = []
    for (let i = this.#lines.length - 1; i >= this.#first && out.length < limit; i--) {
      const line = this.#lines[i]!
      if (!wanted.some((w) => line.toLowerCase().includes(w))) continue
      try {
        const { level, time, msg, ...fields } = JSON.parse(line) as { level: number; time: number; msg?: string; tenant?: unknown }
        if (fields.tenant === undefined || fields.tenant === tenant) out.push({ at: new Date(time).toISOString(), level: levels[level] ?? String(level), message: msg ?? '', fields })
      } catch { /* half a line at the end of a broken log */ }
    }
    return out
  }
}
