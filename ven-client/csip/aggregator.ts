import { systemClock, type Clock } from '#core/port/clock.js'
import type { Resource } from '#core/describe/resource.js'
import { runCsipAgent, type CsipAgent, type CsipAgentOptions, type DerDevice } from '#ven-client/csip/agent.js'
import type { CsipStore } from '#ven-client/csip/store.js'
import { csipWire, type CsipWire } from '#ven-client/csip/transport.js'

/** One device that the aggregator acts for. */
export interface ManagedDevice {
  readonly lfdi: string
  readonly device: DerDevice
  readonly store?: CsipStore
  readonly connectionPoint?: string
}

export interface CsipAggregatorOptions extends Omit<CsipAgentOptions, 'device' | 'store' | 'connectionPoint' | 'pin' | 'lfdi' | 'wire' | 'mirroredUntil'> {
  readonly devices: readonly ManagedDevice[]
  /** What was read so short a time ago is not read again for the next device. */
  readonly sharedFor_s?: number
}

export interface CsipAggregator {
  readonly agents: ReadonlyMap<string, CsipAgent>
  /** A hint that something changed: everything is read anew. */
  poke(): void
  stop(): Promise<void>
}

/** SEP-102, SEP-192: many devices over one connection and one certificate; each follows its own programs, answers and measures under its own LFDI. */
export function runCsipAggregator(options: CsipAggregatorOptions): CsipAggregator {
  const clock = options.clock ?? systemClock, wire = csipWire(options)
  const shared = sharing(wire, clock, (options.sharedFor_s ?? 5) * 1000)
  const agents = new Map(options.devices.map(({ lfdi, device, store, connectionPoint }) => [lfdi.toUpperCase(), runCsipAgent({
    ...options, device, lfdi: lfdi.toUpperCase(), wire: shared.wire, ...(store ? { store } : {}), ...(connectionPoint === undefined ? {} : { connectionPoint }),
  })]))
  return {
    agents,
    poke() { shared.forget(); for (const agent of agents.values()) agent.poke() },
    async stop() {
      await Promise.all([...agents.values()].map((a) => a.stop()))
      await wire.close()
    },
  }
}

/** Reads of the same address within `hold_ms` are one read: a thousand devices see the same lists. A new EndDevice makes all of them old. */
export function sharing(wire: CsipWire, clock: Pick<Clock, 'nowMs'>, hold_ms: number): { wire: CsipWire; forget(): void } {
  const held = new Map<string, { at: number; answer: Promise<unknown> }>()
  const fresh = (): void => { for (const [href, h] of held) if (clock.nowMs() - h.at > hold_ms) held.delete(href) }
  return {
    forget: () => held.clear(),
    wire: {
      ...wire,
      read: ((description: Resource, href: string) => {
        fresh()
        const known = held.get(href)
        if (known) return known.answer
        const answer = wire.read(description, href)
        held.set(href, { at: clock.nowMs(), answer })
        answer.catch(() => held.delete(href))
        return answer
      }) as CsipWire['read'],
      async write(method, description, href, value) {
        const answer = await wire.write(method, description, href, value)
        if (description.name === 'EndDevice') held.clear()
        return answer
      },
      close: async () => {},
    },
  }
}
