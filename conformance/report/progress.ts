import type { Result, Verdict } from '#conformance/procedure.js'

/** Where a run stands, told on stderr while it goes (UX-014). */
export interface Progress {
  told(result: Result, done: number, of: number): void
  end(): void
}

interface Stream { readonly isTTY?: boolean; write(text: string): unknown }

/** `now` in milliseconds. On a terminal one line that is written over; elsewhere, and on a dumb terminal, a line every ten seconds. */
export function makeProgress(stream: Stream, environment: Readonly<Record<string, string | undefined>>, now: () => number): Progress {
  const begun = now()
  const place = (done: number, of: number): string => {
    const seconds = (now() - begun) / 1000, left = done > 0 ? Math.ceil((seconds / done) * (of - done)) : 0
    return `${done}/${of}, ${(done / Math.max(seconds, 0.001)).toFixed(1)} a second, ${left} s left`
  }
  return stream.isTTY === true && environment['TERM'] !== 'dumb' ? onTerminal(stream, place) : inPipe(stream, place, now, begun)
}

const wipe = '\r\u001B[2K'

const onTerminal = (stream: Stream, place: (done: number, of: number) => string): Progress => ({
  told(result, done, of) { stream.write(`${wipe}${place(done, of)}  ${result.id}`.slice(0, 79 + wipe.length)) },
  end() { stream.write(wipe) },
})

function inPipe(stream: Stream, place: (done: number, of: number) => string, now: () => number, begun: number): Progress {
  let last = begun
  return {
    told(result, done, of) {
      if (now() - last < 10_000) return
      last = now()
      stream.write(`${place(done, of)}, last ${result.id}\n`)
    },
    end() { /* nothing to wipe */ },
  }
}

/** Colour is for people who see it: a terminal that is not dumb, and nobody said no (NO_COLOR, --no-color). */
export const mayColour = (stream: Pick<Stream, 'isTTY'>, environment: Readonly<Record<string, string | undefined>>, flag: boolean): boolean =>
  stream.isTTY === true && flag && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb'

const colours: Readonly<Record<Verdict, number>> = { 'PASSED': 32, 'FAILED': 31, 'ERROR': 31, 'WARNING': 33, 'PARTIAL': 33, 'NOT APPLICABLE': 2 }

/** Each verdict at the beginning of a line in its colour; the word itself stays, so colour is never the only sign. */
export const inColour = (text: string): string => text.replace(/^(PASSED|FAILED|ERROR|WARNING|PARTIAL|NOT APPLICABLE)/gm, (word) => `\u001B[${colours[word as Verdict]}m${word}\u001B[0m`)
