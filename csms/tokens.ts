import { LRUCache } from 'lru-cache'
import type { Clock, Timer } from '#core/port/clock.js'
import type { DocumentStore, NewDocument } from '#core/port/store/document.js'
import type { IdToken, IdTokenInfo, MessageContent, TransactionLimit } from '#csms/wire/transaction-event.js'
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
  readonly language1?: string
  readonly language2?: string
  readonly personalMessage?: MessageContent
  /** 2.1: what its car may ask for (OCPP-264), and where its transactions end by themselves (OCPP-266). */
  readonly allowedEnergyTransfer?: readonly string[]
  readonly transactionLimit?: TransactionLimit
}

export interface Tokens {
  put(tenant: string, tokens: readonly TokenRecord[]): Promise<void>
  list(tenant: string): Promise<TokenRecord[]>
  remove(tenant: string, token: IdToken): Promise<boolean>
  find(tenant: string, token: { idToken: string; type?: string }): Promise<TokenRecord | undefined>
  /**
   * What the station is told about a token at one of its EVSEs (OCPP-111…116). `inUse` is asked of one that may be in one transaction only (OCPP-115);
   * absent: whether it is in one at another station.
   */
  info(tenant: string, station: string, token: IdToken, evseId: number | undefined, evses: readonly number[], inUse?: () => Promise<boolean>): Promise<IdTokenInfo>
}

const idOf = (token: { idToken: string; type: string }): string => `${token.idToken.toLowerCase()}|${token.type}`
/** C09.FR.13: a group is a token of type Central. */
const groupToken = (group: string): IdToken => ({ idToken: group, type: 'Central' })

/** OCPP-118: a back end that does not answer in this time, of the machine, is silent. */
const patience_ms = 2000

async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  let timer: Timer | undefined
  const late = new Promise<never>((_, fail) => { timer = clock.after(ms * clock.rate, () => fail(new Error('no answer in time'))) })
  try {
    return await Promise.race([work, late])
  } finally {
    timer?.cancel()
  }
}

/** `elsewhere` says whether a token is in a transaction at another station. */
export function tokens({ documents, clock, config, elsewhere, changed = () => {}, silent = () => {} }: {
  documents: DocumentStore; clock: Clock; config: Pick<CsmsConfig, 'authorizationFails' | 'masterGroup'>; elsewhere(tenant: string, token: IdToken, station: string): Promise<boolean>
  /** Told how many tokens were put or removed at once (OCPP-119). */
  changed?: (tenant: string, count: number) => void
  /** Told of a station that was answered without the back end (OCPP-118). */
  silent?: (tenant: string, station: string) => void
}): Tokens {
  const nowMs = (): number => clock.nowMs()
  const cache = new LRUCache<string, { revision: number; tokens: TokenRecord[] }>({ max: 20_000 })

  async function named(tenant: string, text: string): Promise<TokenRecord[]> {
    const key = `${tenant} ${text.toLowerCase()}`, revision = documents.revision(tenant, 'csms/IdToken'), known = cache.get(key)
    if (known?.revision === revision) return known.tokens
    const tokens = (await documents.list<TokenRecord>(tenant, { kind: 'csms/IdToken', parent: text.toLowerCase() })).map((d) => d.body)
    cache.set(key, { revision, tokens })
    return tokens
  }

  async function find(tenant: string, token: { idToken: string; type?: string }): Promise<TokenRecord | undefined> {
    const all = await named(tenant, token.idToken)
    return token.type === undefined ? all[0] : all.find((t) => t.type === token.type)
  }

  async function judge(record: TokenRecord, station: string, evseId: number | undefined, inUse: () => Promise<boolean>): Promise<string> {
    if (record.status !== 'Accepted') return record.status
    if (record.expires !== undefined && Date.parse(record.expires) <= nowMs()) return 'Expired'
    if (record.evses) {
      const mine = record.evses[station]
      if (!mine || mine.length === 0) return 'NotAtThisLocation'
      if (evseId !== undefined && !mine.includes(evseId)) return 'NotAllowedTypeEVSE'
    }
    return record.concurrent === false && await inUse() ? 'ConcurrentTx' : 'Accepted'
  }

  return {
    find,
    async put(tenant, records) {
      const rows = records.map((record): NewDocument<TokenRecord> => ({
        tenant, kind: 'csms/IdToken', id: idOf(record), parent: record.idToken.toLowerCase(), body: record,
      }))
      await documents.insertMany(rows, nowMs(), { onConflict: 'replace' })
      cache.clear()
      changed(tenant, records.length)
    },
    list: async (tenant) => (await documents.list<TokenRecord>(tenant, { kind: 'csms/IdToken', order: ['id'] })).map((d) => d.body),
    remove: (tenant, token) => { cache.clear(); changed(tenant, 1); return documents.remove(tenant, 'csms/IdToken', idOf(token)) },
    async info(tenant, station, token, evseId, evses, inUse) {
      // OCPP-114.
      if (token.type === 'NoAuthorization') return { status: 'Accepted' }
      let record: TokenRecord | undefined, status = 'Unknown'
      try {
        await within(clock, patience_ms, (async () => {
          record = await find(tenant, token)
          if (record) status = await judge(record, station, evseId, inUse ?? (() => elsewhere(tenant, token, station)))
        })())
      } catch {
        // OCPP-118: the back end is silent.
        silent(tenant, station)
        return { status: config.authorizationFails === 'open' ? 'Accepted' : 'Invalid' }
      }
      if (!record) return { status: token.type === 'KeyCode' ? 'Invalid' : 'Unknown' }
      const allowed = record.evses?.[station]
      return {
        status,
        ...(record.group === undefined ? {} : { groupIdToken: groupToken(record.group) }),
        ...(record.expires === undefined ? {} : { cacheExpiryDateTime: record.expires }),
        ...(record.chargingPriority === undefined ? {} : { chargingPriority: record.chargingPriority }),
        ...(record.language1 === undefined ? {} : { language1: record.language1 }), ...(record.language2 === undefined ? {} : { language2: record.language2 }),
        ...(record.personalMessage === undefined ? {} : { personalMessage: record.personalMessage }),
        // C01.FR.18-22: only a strict subset is listed.
        ...(status === 'Accepted' && allowed && evses.some((id) => !allowed.includes(id)) ? { evseId: allowed } : {}),
      }
    },
  }
}
