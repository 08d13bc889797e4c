import { LRUCache } from 'lru-cache'

/** One line of what /metrics shows (SEP-255). */
export interface Sample {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Meter {
  handshake(result: 'accepted' | 'refused' | 'failed', suite: string): void
  request(route: string, status: number): void
  seen(lfdi: string, now: number): void
  samples(now: number): Sample[]
}

/** Counts in memory: cheap enough for every request; routes are templates, so that a client cannot make new ones. */
export function makeMeter(): Meter {
  const handshakes = new Map<string, number>(), requests = new Map<string, Map<number, number>>(), lastSeen = new LRUCache<string, number>({ max: 200_000 })
  return {
    handshake(result, suite) { const key = `${result} ${suite}`; handshakes.set(key, (handshakes.get(key) ?? 0) + 1) },
    request(route, status) {
      let of = requests.get(route)
      if (!of) requests.set(route, of = new Map())
      of.set(status, (of.get(status) ?? 0) + 1)
    },
    seen(lfdi, now) { if (lastSeen.peek(lfdi) !== now) lastSeen.set(lfdi, now) },
    samples: (now) => [
      ...[...handshakes].map(([key, value]): Sample => { const [result = '', suite = ''] = key.split(' '); return { name: 'loadstone_csip_handshakes_total', help: 'TLS handshakes by result and suite', type: 'counter', labels: { result, suite }, value } }),
      ...[...requests].flatMap(([route, of]) => [...of].map(([status, value]): Sample => ({ name: 'loadstone_csip_requests_total', help: 'Requests by route and status', type: 'counter', labels: { route, status: String(status) }, value }))),
      ...ages([...lastSeen.values()].map((at) => now - at)),
    ],
  }
}

const bounds_s = [60, 300, 900, 3600, 86_400]

/** Interpretation (SEP-255): last-seen ages are shown as how many devices were seen within each bound, since a line for each of 100,000 devices is no metric. */
const ages = (all: readonly number[]): Sample[] => bounds_s.map((bound) => ({
  name: 'loadstone_csip_devices_seen', help: 'Devices that were seen within so many seconds', type: 'gauge', labels: { within_s: String(bound) }, value: all.filter((age) => age <= bound).length,
}))
