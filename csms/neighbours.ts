import type { Bus } from '#core/port/bus.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import { fnv } from './fnv.js'

/**
 * Which process has which station. Each says what joined and left; the database delivers words in one order to all, so all
 * agree: the last to join has it. An absent station stays with the process that had it last, else with one that all compute
 * alike, so that only one process writes for it. A question to a process is answered by it, or fails when it is gone.
 */
export interface Neighbours {
  /** The process to ask about a station; undefined = it is ours. */
  ownerOf(station: string): string | undefined
  joined(station: string): void
  left(station: string): void
  ask(process: string, question: string, content: unknown): Promise<unknown>
  close(): Promise<void>
}

export interface NeighbourNeeds {
  readonly bus: Bus | undefined
  readonly ids: Ids
  readonly log: Log
  /** Another process has the station from now on: what is here of it is old. */
  moved(station: string): void
  answer(question: string, content: unknown): Promise<unknown>
}

type Word =
  | { readonly kind: 'hello' | 'alive' | 'bye'; readonly from: string }
  | { readonly kind: 'have'; readonly from: string; readonly joined: readonly string[]; readonly left: readonly string[]; readonly roll?: boolean }
type Letter =
  | { readonly kind: 'ask'; readonly from: string; readonly id: string; readonly question: string; readonly content: unknown }
  | { readonly kind: 'answer'; readonly id: string; readonly content?: unknown; readonly error?: string }

const all = 'loadstone_ocpp'
const pulse_ms = 5000, patience_ms = 130_000
/** Words of one turn go together; names of so many stations fit in one. */
const together = 100

export const alone: Neighbours = { ownerOf: () => undefined, joined() {}, left() {}, ask: () => Promise.reject(new Error('there is no other process')), async close() {} }

export function neighbours(needs: NeighbourNeeds): Neighbours {
  return needs.bus ? among(needs, needs.bus) : alone
}

function among({ ids, log, moved, answer }: NeighbourNeeds, bus: Bus): Neighbours {
  const self = ids.uuid(), mine = `${all}_${self}`
  const heardAt = new Map<string, number>()
  /** Station → process that has it, or had it last. */
  const homes = new Map<string, string>()
  const here = new Set<string>()
  /** Our own words that are not back yet: whoever joined before them has lost. */
  const unheard = new Map<string, number>()
  const waiting = new Map<string, { process: string; done(content: unknown): void; fail(error: Error): void }>()
  let joining: string[] = [], leaving: string[] = [], telling = false, closed = false

  const say = (channel: string, word: Word | Letter): void => {
    bus.publish(channel, word).catch((error: unknown) => { if (!closed) log.warn({ err: error, channel }, 'the other processes cannot be told') })
  }

  function tell(): void {
    telling = false
    for (; joining.length + leaving.length > 0;) {
      const joined = joining.splice(0, together), left = leaving.splice(0, together)
      say(all, { kind: 'have', from: self, joined, left })
    }
  }
  const soon = (): void => {
    if (telling) return
    telling = true
    setImmediate(tell)
  }

  function lost(process: string): void {
    heardAt.delete(process)
    for (const [station, home] of homes) if (home === process) homes.delete(station)
    for (const [id, w] of waiting) {
      if (w.process !== process) continue
      waiting.delete(id)
      w.fail(new Error('that process is gone'))
    }
  }

  function word(w: Word): void {
    if (w.from !== self) heardAt.set(w.from, performance.now())
    if (w.kind === 'bye') return w.from === self ? undefined : lost(w.from)
    if (w.kind === 'hello' && w.from !== self) {
      const stations = [...here]
      for (let i = 0; i < Math.max(1, stations.length); i += together) say(all, { kind: 'have', from: self, joined: stations.slice(i, i + together), left: [], roll: true })
    }
    if (w.kind !== 'have') return
    for (const station of w.joined) {
      if (w.from === self) {
        const n = (unheard.get(station) ?? 1) - 1
        if (n > 0) unheard.set(station, n)
        else unheard.delete(station)
        if (here.has(station)) homes.set(station, self)
        continue
      }
      if (here.has(station) && (w.roll || unheard.has(station))) continue
      homes.set(station, w.from)
      here.delete(station)
      moved(station)
    }
  }

  function letter(l: Letter): void {
    if (l.kind === 'answer') {
      const w = waiting.get(l.id)
      waiting.delete(l.id)
      if (l.error === undefined) w?.done(l.content)
      else w?.fail(new Error(l.error))
      return
    }
    answer(l.question, l.content).then(
      (content) => say(`${all}_${l.from}`, { kind: 'answer', id: l.id, content }),
      (error: unknown) => {
        log.error({ err: error, question: l.question }, 'a question of another process failed')
        say(`${all}_${l.from}`, { kind: 'answer', id: l.id, error: 'it failed there' })
      })
  }

  const pulse = setInterval(() => {
    say(all, { kind: 'alive', from: self })
    for (const [process, at] of heardAt) if (performance.now() - at > 3 * pulse_ms) lost(process)
  }, pulse_ms)
  pulse.unref()
  const listening = Promise.all([bus.subscribe(all, (m) => word(m as Word)), bus.subscribe(mine, (m) => letter(m as Letter))])
  listening.then(() => say(all, { kind: 'hello', from: self }), (error: unknown) => log.warn({ err: error }, 'the other processes are not heard'))
  bus.onGap(() => say(all, { kind: 'hello', from: self }))

  /** The highest has it, on every process alike. */
  const weight = (process: string, station: string): number => fnv(process, station)

  return {
    ownerOf(station) {
      if (here.has(station) || heardAt.size === 0) return undefined
      const home = homes.get(station)
      if (home !== undefined) return home === self ? undefined : home
      const best = [self, ...heardAt.keys()].reduce((a, b) => (weight(b, station) > weight(a, station) ? b : a))
      return best === self ? undefined : best
    },
    joined(station) {
      here.add(station)
      unheard.set(station, (unheard.get(station) ?? 0) + 1)
      joining.push(station)
      soon()
    },
    left(station) {
      // It stays ours until it joins elsewhere.
      if (here.delete(station)) homes.set(station, self)
    },
    ask: (process, question, content) => new Promise((done, fail) => {
      const id = ids.uuid()
      const timer = setTimeout(() => { waiting.delete(id); fail(new Error('that process did not answer')) }, patience_ms)
      timer.unref()
      waiting.set(id, { process, done: (c) => { clearTimeout(timer); done(c) }, fail: (e) => { clearTimeout(timer); fail(e) } })
      bus.publish(`${all}_${process}`, { kind: 'ask', from: self, id, question, content } satisfies Letter).catch((error: unknown) => {
        waiting.delete(id)
        clearTimeout(timer)
        fail(error as Error)
      })
    }),
    async close() {
      closed = true
      clearInterval(pulse)
      await listening.then((stops) => { for (const stop of stops) stop() }, () => {})
      await bus.publish(all, { kind: 'bye', from: self } satisfies Word).catch(() => {})
    },
  }
}
