/** Where several sets stand that go side by side (UX-014): on a terminal one line that is written over, elsewhere only the lines that stay. */
export interface Board {
  told(set: string, seed: number, done: number, of: number): void
  /** A line that stays. */
  line(text: string): void
  end(): void
}

interface Stream { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown }
const wipe = '\r\u001B[2K'

export function makeBoard(stream: Stream, environment: Readonly<Record<string, string | undefined>>): Board {
  const live = stream.isTTY === true && environment['TERM'] !== 'dumb', places = new Map<string, string>()
  const show = (): void => { if (live) stream.write(`${wipe}${[...places].map(([set, place]) => `${set} ${place}`).join(' · ').slice(0, (stream.columns ?? 80) - 1)}`) }
  return {
    told(set, seed, done, of) {
      if (done < of) places.set(set.replace(/ (whole|smoke)$/, ''), `#${seed} ${done}/${of}`)
      else places.delete(set.replace(/ (whole|smoke)$/, ''))
      show()
    },
    line(text) { stream.write(`${live ? wipe : ''}${text}\n`); show() },
    end() { if (live) stream.write(wipe) },
  }
}
