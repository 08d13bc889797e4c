import { backoff } from '#ven-client/backoff.js'
import { pageSize, type VtnClient, type Query } from '#ven-client/openadr/client.js'
import { isPermanent, isVtnError, type VtnError } from '#ven-client/openadr/error.js'
import type { Event } from '#ven-client/openadr/objects.js'

/** What a poll brought. `removed` is an event that left the list: its actions stop (OA-204). */
export type Change =
  | { readonly kind: 'added' | 'changed'; readonly event: Event }
  | { readonly kind: 'removed'; readonly event: Event }

export interface FeedOptions {
  /** Seconds between polls (OA-203), jittered by a fifth either way. */
  readonly pollEvery_s?: number
  /** The first poll is spread over so many seconds, so that a fleet that starts together does not ask together (REL-043). */
  readonly firstPollWithin_s?: number
  readonly query?: Query
  readonly onChanges: (changes: readonly Change[], all: readonly Event[]) => void
  /** Refusals that no waiting heals end the feed here; everything else is waited out. */
  readonly onStopped?: (error: VtnError) => void
}

export interface Feed {
  /** A push hint: poll at once (OA-203). Hints while a poll runs lead to one more poll. */
  poke(): void
  stop(): void
}

/** A VTN that says 403 once may be in the middle of a change of its own; so many in a row are meant. */
const patience = 5

/** Polling is the base: state is always read by REST, push is only a hint (OA-203). */
export function eventFeed(client: VtnClient, options: FeedOptions): Feed {
  const { clock, log, random } = client
  const wait = backoff(random)
  const every_ms = (options.pollEvery_s ?? 60) * 1000
  const abort = new AbortController()
  let known = new Map<string, Event>()
  let polling = false, poked = false, refusals = 0
  let timer = clock.after(random() * (options.firstPollWithin_s ?? 5) * 1000, () => void poll())

  async function poll(): Promise<void> {
    if (polling) { poked = true; return }
    polling = true
    let next_ms = every_ms * (0.8 + random() * 0.4)
    try {
      const events = await whole(await client.events(options.query ?? {}, { signal: abort.signal }))
      wait.reset()
      refusals = 0
      announce(events)
    } catch (error) {
      if (abort.signal.aborted) return
      refusals = isPermanent(error) ? refusals + 1 : 0
      if (isVtnError(error) && (error.kind === 'unauthenticated' || refusals >= patience)) {
        log.error({ kind: error.kind, status: error.status }, 'polling stopped: the VTN refuses for good')
        options.onStopped?.(error)
        return
      }
      next_ms = wait.next(isVtnError(error) ? error.retryAfter_ms : undefined)
      log.warn({ kind: isVtnError(error) ? error.kind : 'unknown', next_ms: Math.round(next_ms) }, 'poll failed')
    } finally {
      polling = false
    }
    if (abort.signal.aborted) return
    timer = clock.after(poked ? 0 : next_ms, () => void poll())
    poked = false
  }

  /**
   * Pages move while they are walked: when an event of an earlier page is deleted, one of a later page is in neither. An event that we follow is
   * therefore gone only when the VTN says so of itself (OA-204). Lists that a filter of the caller's empties by itself are taken as they are.
   */
  async function whole(events: readonly Event[]): Promise<readonly Event[]> {
    const narrow = Object.keys(options.query ?? {}).some((name) => name !== 'programID')
    if (narrow || events.length < pageSize) return events
    const listed = new Set(events.map((e) => e.id)), missed: Event[] = []
    for (const id of known.keys()) {
      if (listed.has(id)) continue
      const found = await client.event(id, { signal: abort.signal }).catch((error: unknown) => { if (isVtnError(error) && error.kind === 'notFound') return undefined; throw error })
      if (found) missed.push(found)
    }
    return missed.length > 0 ? [...events, ...missed] : events
  }

  function announce(events: readonly Event[]): void {
    const now = new Map(events.map((e) => [e.id, e]))
    const changes: Change[] = []
    for (const event of events) {
      const before = known.get(event.id)
      if (!before) changes.push({ kind: 'added', event })
      else if (before.modificationDateTime !== event.modificationDateTime) changes.push({ kind: 'changed', event })
    }
    for (const [id, event] of known) if (!now.has(id)) changes.push({ kind: 'removed', event })
    known = now
    if (changes.length > 0) options.onChanges(changes, events)
  }

  return {
    poke() {
      if (polling) { poked = true; return }
      timer.cancel()
      void poll()
    },
    stop() { abort.abort(); timer.cancel() },
  }
}

/** The same as an async iterator: `for await (const change of changes(client, { signal }))`. Ends on abort, throws on a final refusal. */
export async function* changes(client: VtnClient, options: Omit<FeedOptions, 'onChanges' | 'onStopped'> & { signal?: AbortSignal } = {}): AsyncGenerator<Change> {
  const waiting: Change[] = []
  let wake: () => void = () => undefined
  let stopped: VtnError | undefined, ended = options.signal?.aborted ?? false
  const feed = eventFeed(client, {
    firstPollWithin_s: 0, ...options,
    onChanges: (some) => { waiting.push(...some); wake() },
    onStopped: (error) => { stopped = error; wake() },
  })
  const onAbort = (): void => { ended = true; wake() }
  options.signal?.addEventListener('abort', onAbort, { once: true })
  try {
    for (;;) {
      const next = waiting.shift()
      if (next) { yield next; continue }
      if (stopped) throw stopped
      if (ended) return
      await new Promise<void>((done) => { wake = done })
    }
  } finally {
    options.signal?.removeEventListener('abort', onAbort)
    feed.stop()
  }
}
