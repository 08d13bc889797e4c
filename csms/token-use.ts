import { isRefusal } from '#core/error.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { Transaction } from './transaction.js'
import type { IdToken } from './wire/transaction-event.js'

/** Which transaction has a token that may be in one only (OCPP-115). Document `csms/TokenUse`, id = the token: whoever inserts it has it, on whichever process. */
interface Use {
  readonly station: string
  readonly transaction: string
  /** Epoch ms. */
  readonly at: number
}

export interface TokenUse {
  /** Is it in a transaction at another station? */
  elsewhere(tenant: string, token: IdToken, station: string): Promise<boolean>
  /** Takes it for a transaction; false: it is in another one that goes on. */
  claim(tenant: string, token: IdToken, station: string, transaction: string): Promise<boolean>
}

/** A claim comes before its transaction is committed; when none has come by then, none will, ms. */
const patience_ms = 60_000
const kind = 'csms/TokenUse'
/** Another process has written or removed it since it was read. */
const quicker = new Set(['conflict', 'stale', 'notFound'])

export function tokenUse({ documents, nowMs }: { documents: Pick<DocumentStore, 'get' | 'insert' | 'replace'>; nowMs: () => number }): TokenUse {
  const idOf = ({ idToken, type }: IdToken): string => `${idToken.toLowerCase()}|${type}`

  /** The transaction itself says whether the claim still stands, so that ending it needs no second write. */
  async function stands(tenant: string, { station, transaction, at }: Use): Promise<boolean> {
    const t = (await documents.get<Transaction>(tenant, 'csms/Transaction', `${station}/${transaction}`))?.body
    return t ? !t.ended && !t.orphaned : nowMs() - at < patience_ms
  }

  return {
    async elsewhere(tenant, token, station) {
      const use = (await documents.get<Use>(tenant, kind, idOf(token)))?.body
      return use !== undefined && use.station !== station && stands(tenant, use)
    },
    async claim(tenant, token, station, transaction) {
      const mine = { tenant, kind, id: idOf(token), parent: '', body: { station, transaction, at: nowMs() } satisfies Use }
      for (;;) {
        const there = await documents.get<Use>(tenant, kind, mine.id), use = there?.body
        if (use?.station === station && use.transaction === transaction) return true
        if (use && await stands(tenant, use)) return false
        try {
          await (there ? documents.replace(mine, nowMs(), there.version) : documents.insert(mine, nowMs()))
          return true
        } catch (error) {
          // Another process was quicker: what it wrote decides.
          if (!isRefusal(error) || !quicker.has(error.kind)) throw error
        }
      }
    },
  }
}
