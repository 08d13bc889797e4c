import { LRUCache } from 'lru-cache'
import type { DocumentStore, NewDocument } from '#core/port/store/document.js'
import type { IdToken, IdTokenInfo } from '#csms/wire/transaction-event.js'
import type { CsmsConfig } from './config.js'

/** An identification token and what it may do. Document `csms/IdToken`, parent = its text in lower case (OCPP-110). */
export interface TokenRecord {
  readonly idToken: string
  readonly type: string
  readonly status: string
  readonly group?: string
  /** ISO time after which it is Expired. */
  readonly expires?: string
  readonly chargingPriority?: number
  /** EVSEs of each station it may use; absent = all (OCPP-112). */
  readonly evses?: Readonly<Record<string, readonly number[]>>
  /** false: one transaction at a time (OCPP-115). */
  readonly concurrent?: boolean
  readonly language?: string
}

export interface Tokens {
  put(tenant: string, tokens: readonly TokenRecord[]): Promise<void>
  list(tenant: string): Promise<TokenRecord[]>
  remove(tenant: string, token: IdToken): Promise<boolean>
  find(tenant: string, token: { idToken: string; type?: string }): Promise<TokenRecord | undefined>
  /** What the station is told about a token at one of its EVSEs (OCPP-111…116). */
  info(tenant: string, station: string, token: IdToken, evseId: number | undefined, evses: readonly number[]): Promise<IdTokenInfo>
}

const idOf = (token: { idToken: string; type: string }): string => `${token.idToken.toLowerCase()}|${token.type}`
/** C09.FR.13: a group is a token of type Central. */
const groupToken = (group: string): IdToken => ({ idToken: group, type: 'Central' })

/** `concurrent` says whether a token is in a transaction at another station. */
export function tokens({ documents, nowMs, config, elsewhere }: {
  documents: DocumentStore; nowMs: () => number; config: Pick<CsmsConfig, 'authorizationFails'>; elsewhere(token: string, station: string): boolean
}): Tokens {
  const cache = new LRUCache<string, TokenRecord[]>({ max: 20_000 })
  let cachedAt = -1

  async function named(tenant: string, text: string): Promise<TokenRecord[]> {
    const revision = documents.revision(tenant, 'csms/IdToken')
    if (revision !== cachedAt) {
      cache.clear()
      cachedAt = revision
    }
    const key = `${tenant} ${text.toLowerCase()}`
    let found = cache.get(key)
    if (!found) {
      found = (await documents.list<TokenRecord>(tenant, { kind: 'csms/IdToken', parent: text.toLowerCase() })).map((d) => d.body)
      cache.set(key, found)
    }
    return found
  }

  async function find(tenant: string, token: { idToken: string; type?: string }): Promise<TokenRecord | undefined> {
    const all = await named(tenant, token.idToken)
    return token.type === undefined ? all[0] : all.find((t) => t.type === token.type)
  }

  function judge(record: TokenRecord, station: string, evseId: number | undefined): string {
    if (record.status !== 'Accepted') return record.status
    if (record.expires !== undefined && Date.parse(record.expires) <= nowMs()) return 'Expired'
    if (record.evses) {
      const mine = record.evses[station]
      if (!mine || mine.length === 0) return 'NotAtThisLocation'
      if (evseId !== undefined && !mine.includes(evseId)) return 'NotAllowedTypeEVSE'
    }
    if (record.concurrent === false && elsewhere(record.idToken.toLowerCase(), station)) return 'ConcurrentTx'
    return 'Accepted'
  }

  return {
    find,
    async put(tenant, records) {
      const rows = records.map((record): NewDocument<TokenRecord> => ({
        tenant, kind: 'csms/IdToken', id: idOf(record), parent: record.idToken.toLowerCase(), body: record,
      }))
      await documents.insertMany(rows, nowMs(), { onConflict: 'replace' })
      cache.clear()
    },
    list: async (tenant) => (await documents.list<TokenRecord>(tenant, { kind: 'csms/IdToken', order: ['id'] })).map((d) => d.body),
    remove: (tenant, token) => { cache.clear(); return documents.remove(tenant, 'csms/IdToken', idOf(token)) },
    async info(tenant, station, token, evseId, evses) {
      // OCPP-114.
      if (token.type === 'NoAuthorization') return { status: 'Accepted' }
      let record: TokenRecord | undefined
      try {
        record = await find(tenant, token)
      } catch {
        // OCPP-118: the back end is silent.
        return { status: config.authorizationFails === 'open' ? 'Accepted' : 'Invalid' }
      }
      if (!record) return { status: token.type === 'KeyCode' ? 'Invalid' : 'Unknown' }
      const status = judge(record, station, evseId)
      const allowed = record.evses?.[station]
      return {
        status,
        ...(record.group === undefined ? {} : { groupIdToken: groupToken(record.group) }),
        ...(record.expires === undefined ? {} : { cacheExpiryDateTime: record.expires }),
        ...(record.chargingPriority === undefined ? {} : { chargingPriority: record.chargingPriority }),
        // C01.FR.18-22: only a strict subset is listed.
        ...(status === 'Accepted' && allowed && evses.some((id) => !allowed.includes(id)) ? { evseId: allowed } : {}),
      }
    },
  }
}
