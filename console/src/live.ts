import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from './api.ts'

/** Whether the server answers, and since when it does not: the banner of UX-056. */
type Listener = () => void
const listeners = new Set<Listener>()
let goneSince: number | null = null

export function answered(ok: boolean): void {
  const next = ok ? null : (goneSince ?? Date.now())
  if (next === goneSince) return
  goneSince = next
  for (const tell of listeners) tell()
}

export function useGone(): number | null {
  const [since, set] = useState(goneSince)
  useEffect(() => {
    const tell = (): void => set(goneSince)
    listeners.add(tell)
    tell()
    return () => {
      listeners.delete(tell)
    }
  }, [])
  return since
}

export interface LiveMessage {
  readonly action: string
  readonly entity: string
  readonly at: string
  readonly actor: string
}
const hearers = new Set<(message: LiveMessage) => void>()

export interface Loaded<T> {
  readonly data: T | undefined
  readonly error: Error | undefined
  readonly at: number | undefined
  readonly reload: () => void
  readonly set: (data: T) => void
}
export interface LoadOptions {
  /** Again every so many ms. */
  readonly every?: number
  /** Again when the server says that something of this kind changed, at most once in `pause` ms. */
  readonly when?: (message: LiveMessage) => boolean
  readonly pause?: number
}

/** Loads a value and keeps it fresh; keeps the last good one while the server is gone. */
export function useLoad<T>(load: (partly: (data: T) => void) => Promise<T>, deps: readonly unknown[], options: LoadOptions = {}): Loaded<T> {
  const [state, set] = useState<{ data: T | undefined; error: Error | undefined; at: number | undefined }>({
    data: undefined,
    error: undefined,
    at: undefined,
  })
  const [round, next] = useState(0)
  const latest = useRef({ load, options })
  latest.current = { load, options }
  const first = useRef(deps)
  if (first.current.length !== deps.length || first.current.some((d, i) => d !== deps[i])) {
    first.current = deps
    if (state.data !== undefined) set({ data: undefined, error: undefined, at: undefined })
  }
  useEffect(() => {
    let over = false,
      busy = false,
      again = false,
      timer: ReturnType<typeof setTimeout> | undefined,
      due: ReturnType<typeof setTimeout> | undefined,
      lastAt = 0
    const attempt = async (): Promise<void> => {
      if (busy) {
        again = true
        return
      }
      busy = true
      clearTimeout(timer)
      let failed = false
      try {
        const data = await latest.current.load((part) => {
          if (!over) set((s) => (s.data === undefined || s.at === undefined ? { data: part, error: undefined, at: undefined } : s))
        })
        answered(true)
        if (!over) set({ data, error: undefined, at: Date.now() })
      } catch (error) {
        failed = error instanceof ApiError && error.problem.status === 0
        if (failed) answered(false)
        if (!over) set((s) => ({ ...s, error: error as Error }))
      }
      busy = false
      lastAt = Date.now()
      const every = failed ? 2000 : latest.current.options.every
      if (over) return
      if (again) {
        again = false
        void attempt()
      } else if (every) timer = setTimeout(() => void attempt(), every)
    }
    const hear = (message: LiveMessage): void => {
      if (!latest.current.options.when?.(message) || due) return
      due = setTimeout(
        () => {
          due = undefined
          void attempt()
        },
        Math.max(50, (latest.current.options.pause ?? 1000) - (Date.now() - lastAt)),
      )
    }
    hearers.add(hear)
    void attempt()
    return () => {
      over = true
      hearers.delete(hear)
      clearTimeout(timer)
      clearTimeout(due)
    }
  }, [...deps, round])
  return { ...state, reload: () => next((n) => n + 1), set: (data) => set({ data, error: undefined, at: Date.now() }) }
}

/** One stream for all pages: server-sent events of `/api/v1/live`, read with fetch, which tells a refusal from a lost server; reconnects by itself. */
export function useLiveStream(on: boolean): void {
  useEffect(() => {
    if (!on) return
    const end = new AbortController()
    void (async () => {
      while (!end.signal.aborted) {
        try {
          await follow(end.signal)
        } catch {
          /* the loop below waits and tries again */
        }
        if (!end.signal.aborted) await new Promise((wait) => setTimeout(wait, 2000))
      }
    })()
    return () => end.abort()
  }, [on])
}

let lastId = ''

async function follow(signal: AbortSignal): Promise<void> {
  const answer = await fetch('/api/v1/live', {
    signal,
    headers: { accept: 'text/event-stream', ...(lastId ? { 'last-event-id': lastId } : {}) },
  }).catch((error: unknown) => {
    if (!signal.aborted) answered(false)
    throw error
  })
  if (!answer.ok || !answer.body) throw new Error(`live: ${answer.status}`)
  answered(true)
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) break
      text += value
      for (let cut = text.indexOf('\n\n'); cut >= 0; cut = text.indexOf('\n\n')) {
        const block = text.slice(0, cut)
        text = text.slice(cut + 2)
        hearBlock(block)
      }
    }
  } finally {
    if (!signal.aborted) answered(false)
  }
}

function hearBlock(block: string): void {
  const data = [...block.matchAll(/^data: ?(.*)$/gm)].map((m) => m[1]).join('\n')
  lastId = /^id: ?(.*)$/m.exec(block)?.[1] ?? lastId
  if (!data) return
  let message: LiveMessage
  try {
    message = JSON.parse(data) as LiveMessage
  } catch {
    return
  }
  for (const tell of hearers) tell(message)
}
