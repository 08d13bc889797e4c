import { Presets, SingleBar } from 'cli-progress'
import type { Teller } from '#cli/story/story.js'

/**
 * Progress on a terminal (a bar with count and time left), elsewhere one line a stage and one every ten seconds on stderr: CI logs want to know
 * where it stands (UX-014).
 */
export function makeTeller(stream: NodeJS.WriteStream, begunMs: number, now: () => number): Teller {
  const elapsed = (): string => `${((now() - begunMs) / 1000).toFixed(0).padStart(4)} s`
  return stream.isTTY === true && process.env.TERM !== 'dumb' ? onTerminal(stream, elapsed) : inPipe(stream, elapsed, now)
}

function onTerminal(stream: NodeJS.WriteStream, elapsed: () => string): Teller {
  let bar: SingleBar | undefined, title = ''
  const room = (): number => Math.max(0, (stream.columns ?? 80) - 72)
  const end = (): void => {
    bar?.stop()
    bar = undefined
  }
  function grow(of: number): SingleBar {
    const made = new SingleBar({ stream, format: '{at}  {stage} {bar} {percentage} % {value}/{total}{left} {note}', barsize: 20, hideCursor: false, gracefulExit: false }, Presets.shades_classic)
    made.start(of, 0, { at: elapsed(), stage: title.padEnd(26), note: '', left: '' })
    return made
  }
  let begun = 0
  return {
    stage(next) {
      end()
      title = next
      begun = performance.now()
      stream.write(`${elapsed()}  ${title}\n`)
    },
    progress(done, of, note = '') {
      bar ??= grow(of)
      bar.setTotal(of)
      const left = done > 0 && done < of ? `, ${Math.ceil(((performance.now() - begun) / 1000 / done) * (of - done))} s left` : ''
      bar.update(Math.min(Math.round(done), of), { at: elapsed(), stage: title.padEnd(26), note: note.slice(0, room()), left })
    },
    line(text) {
      end()
      stream.write(`${elapsed()}  ${text}\n`)
    },
  }
}

function inPipe(stream: NodeJS.WriteStream, elapsed: () => string, now: () => number): Teller {
  let stage = '', last = 0
  return {
    stage(title) {
      stage = title
      last = now()
      stream.write(`${elapsed()}  ${title}\n`)
    },
    progress(done, of, note = '') {
      if (now() - last <= 10_000) return
      last = now()
      stream.write(`${elapsed()}  ${stage}: ${Math.floor((of > 0 ? done / of : 1) * 100)} % ${note}\n`)
    },
    line: (text) => { stream.write(`${elapsed()}  ${text}\n`) },
  }
}
