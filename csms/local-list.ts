import type { DocumentStore } from '#core/port/store/document.js'
import type { Journal } from './journal.js'
import type { Payload } from './rpc/outgoing.js'
import type { Station } from './station.js'
import type { IdToken } from './wire/transaction-event.js'

/** An entry as it was sent; without idTokenInfo it deletes (D01). */
export interface ListEntry {
  readonly idToken: IdToken
  readonly idTokenInfo?: object
}

/** What a station holds, as far as it accepted it. Document `csms/LocalList`, id = station. */
interface Held {
  readonly version: number
  readonly entries: readonly ListEntry[]
}

export interface LocalLists {
  held(station: Station): Promise<Held>
  /** After SendLocalList: what was accepted is held; a Differential that failed is followed by a Full one (OCPP-121). */
  answered(station: Station, request: Payload, answer: Payload): Promise<void>
  /** After CustomerInformation with `clear`: the customer leaves the local list too (OCPP-223). */
  forgotten(station: Station, request: Payload, answer: Payload): Promise<void>
}

const keyOf = ({ idToken, type }: IdToken): string => `${idToken.toLowerCase()}|${type}`

/** The entries after one more update. Pure. */
export function merged(before: readonly ListEntry[], updateType: string, update: readonly ListEntry[]): ListEntry[] {
  const out = new Map((updateType === 'Full' ? [] : before).map((e) => [keyOf(e.idToken), e]))
  for (const e of update) {
    if (e.idTokenInfo === undefined) out.delete(keyOf(e.idToken))
    else out.set(keyOf(e.idToken), e)
  }
  return [...out.values()]
}

/** 1.6 writes idTag and listVersion (1.6 5.15). */
function read(request: Payload): { version: number; updateType: string; entries: ListEntry[] } {
  const list = (request.localAuthorizationList ?? []) as ({ idToken: IdToken; idTokenInfo?: object } | { idTag: string; idTagInfo?: object })[]
  return {
    version: Number(request.versionNumber ?? request.listVersion), updateType: String(request.updateType),
    entries: list.map((e) => ('idTag' in e ? { idToken: { idToken: e.idTag, type: '1.6' }, ...(e.idTagInfo ? { idTokenInfo: e.idTagInfo } : {}) } : e)),
  }
}

function worded(station: Station, version: number, updateType: string, entries: readonly ListEntry[]): object {
  if (station.session.version !== '1.6') return { versionNumber: version, updateType, ...(entries.length > 0 ? { localAuthorizationList: entries } : {}) }
  const list = entries.map((e) => ({ idTag: e.idToken.idToken, ...(e.idTokenInfo ? { idTagInfo: e.idTokenInfo } : {}) }))
  return { listVersion: version, updateType, ...(list.length > 0 ? { localAuthorizationList: list } : {}) }
}

/** The local authorization list of each station (block D), as far as we know it. `send` puts a list to a station. */
export function localLists({ documents, journal, send }: {
  documents: DocumentStore; journal: Journal
  send(station: Station, action: string, payload: object): Promise<unknown>
}): LocalLists {
  const held = async (station: Station): Promise<Held> => (await documents.get<Held>(station.tenant, 'csms/LocalList', station.identity))?.body ?? { version: 0, entries: [] }
  /** Each list is repaired once: a station that refuses a Full one too is left as it is. */
  const repairing = new WeakSet<Station>()

  async function repair(station: Station, entries: readonly ListEntry[], tried: number): Promise<void> {
    if (repairing.has(station)) return
    repairing.add(station)
    try {
      const { versionNumber, listVersion } = await send(station, 'GetLocalListVersion', {}) as { versionNumber?: number; listVersion?: number }
      await send(station, 'SendLocalList', worded(station, Math.max(tried, versionNumber ?? listVersion ?? 0) + 1, 'Full', entries))
    } finally {
      repairing.delete(station)
    }
  }

  return {
    held,
    async answered(station, request, answer) {
      const { version, updateType, entries } = read(request), before = await held(station)
      const after = merged(before.entries, updateType, entries)
      if (answer.status === 'Accepted') {
        station.record.counters.localList = version
        return journal.write([station.document(), { tenant: station.tenant, kind: 'csms/LocalList', id: station.identity, parent: '', body: { version, entries: after } satisfies Held }])
      }
      if (updateType === 'Differential' && before.version > 0) void repair(station, after, version).catch(() => {})
    },
    async forgotten(station, request, answer) {
      const idToken = request.idToken as IdToken | undefined
      if (request.clear !== true || answer.status !== 'Accepted' || !idToken) return
      const { entries, version } = await held(station)
      if (!entries.some((e) => keyOf(e.idToken) === keyOf(idToken))) return
      void send(station, 'SendLocalList', worded(station, version + 1, 'Differential', [{ idToken }])).catch(() => {})
    },
  }
}
