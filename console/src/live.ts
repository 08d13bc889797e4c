import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, token } from './api.js'

/** Whether the server answers, and since when it does not: the banner of UX-056. */
type Listener = (since: number | null) => void
const listeners = new Set<Listener>()
let goneSince: number | null = null

export function answered(ok: boolean): void {
  const next = ok ? null : (goneSince ?? Date.now())
  if (next === goneSince) return
  goneSince = next
  for (const tell of listeners) tell(goneSince)
}

export function useGone(): number | null {
  const [since, set] = useState(goneSince)
  useEffect(() => { listeners.add(set); return () => { listeners.delete(set) } }, [])
  return since
}

export interface Loaded<T> { data: T | undefined; error: Error | undefined; at: number | undefined; reload: () => void }

/** Loads a value, again every `every_ms` and whenever the server says that something changed; keeps the last good one while the server is gone. */
export function useLoad<T>(load: () => Promise<T>, deps: readonly unknown[], every_ms = 0): Loaded<T> {
  const [state, set] = useState<{ data: T | undefined; error: Error | undefined; at: number | undefined }>({ data: undefined, error: undefined, at: undefined })
  const [round, next] = useState(0)
  const latest = useRef(load)
  latest.current = load
  useEffect(() => {
    let over = false
    const attempt = async (): Promise<void> => {
      try {
        const data = await latest.current()
        answered(true)
        if (!over) set({ data, error: undefined, at: Date.now() })
      } catch (error) {
        if (error instanceof ApiError && error.problem.status === 0) answered(false)
        if (!over) set((s) => ({ ...s, error: error as Error }))
      }
    }
    void attempt()
    const timer = every_ms ? setInterval(() => { void attempt() }, every_ms) : undefined
    return () => { over = true; clearInterval(timer) }
  }, [...deps, round])
  return { ...state, reload: () => next((n) => n + 1) }
}

export interface LiveMessage { event: string; data: unknown }

/** Server-sent events of `/api/v1/live`, read with fetch because EventSource cannot carry a token; reconnects by itself. */
export function useLive(onMessage: (message: LiveMessage) => void): void {
  const latest = useRef(onMessage)
  latest.current = onMessage
  useEffect(() => {
    const end = new AbortController()
    void (async () => {
      while (!end.signal.aborted) {
        try {
          await follow(end.signal, (m) => latest.current(m))
        } catch { /* the loop below waits and tries again */ }
        if (!end.signal.aborted) { answered(false); await new Promise((wait) => setTimeout(wait, 2000)) }
      }
    })()
    return () => end.abort()
  }, [])
}

async function follow(signal: AbortSignal, tell: (message: LiveMessage) => void): Promise<void> {
  const answer = await fetch('/api/v1/live', { signal, headers: { authorization: `Bearer ${token() ?? ''}`, accept: 'text/event-stream' } })
  if (!answer.ok || !answer.body) throw new Error(`live: ${answer.status}`)
  answered(true)
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    text += value
    for (let cut = text.indexOf('\n\n'); cut >= 0; cut = text.indexOf('\n\n')) {
      const block = text.slice(0, cut)
      text = text.slice(cut + 2)
      const event = /^event: ?(.*)$/m.exec(block)?.[1] ?? 'message'
      const data = [...block.matchAll(/^data: ?(.*)$/gm)].map((m) => m[1]).join('\n')
      if (data) { try { tell({ event, data: JSON.parse(data) }) } catch { /* a comment or keep-alive */ } }
    }
  }
}
