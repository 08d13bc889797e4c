import type { Teller } from '#cli/story/story.js'

/**
 * Progress on a terminal (a bar that redraws), one line a stage elsewhere on stderr, nothing at all when stdout is wanted alone and
 * stderr is no terminal is still one line a stage: CI logs want to know where it stands (UX-014).
 */
export function makeTeller(stream: NodeJS.WriteStream, begunMs: number, now: () => number): Teller {
  const fancy = stream.isTTY === true && process.env.TERM !== 'dumb'
  const elapsed = (): string => `${((now() - begunMs) / 1000).toFixed(0).padStart(4)} s`
  let stage = '', lastLine = 0
  const bar = (share: number): string => { const full = Math.round(Math.min(1, share) * 24); return `${'█'.repeat(full)}${'░'.repeat(24 - full)}` }
  const end = (): void => { if (fancy && stage) stream.write('\n') }
  return {
    stage(title) {
      end()
      stage = title
      lastLine = now()
      stream.write(fancy ? `${elapsed()}  ${title}` : `${elapsed()}  ${title}\n`)
    },
    progress(done, of, note = '') {
      const share = of > 0 ? done / of : 1
      if (fancy) stream.write(`\r\u001B[2K${elapsed()}  ${stage.padEnd(34)} ${bar(share)} ${Math.floor(share * 100)} % ${note.slice(0, Math.max(0, (stream.columns ?? 80) - 78))}`)
      else if (now() - lastLine > 10_000) {
        lastLine = now()
        stream.write(`${elapsed()}  ${stage}: ${Math.floor(share * 100)} % ${note}\n`)
      }
    },
    line(text) {
      end()
      stage = ''
      stream.write(`${elapsed()}  ${text}\n`)
    },
  }
}
