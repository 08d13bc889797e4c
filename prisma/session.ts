import { Pool, types, type CustomTypesConfig, type QueryConfig, type QueryResult } from 'pg'
import { PrismaPg } from '@prisma/adapter-pg'
import { Refusal } from '#core/error.js'
import type { AuditDraft } from '#core/port/store/audit.js'
import { lostConnection, sqlState, timedOut, toRefusal } from '#prisma/error-map.js'
import { PrismaClient } from '#prisma/generated/client.js'

export interface QueryOptions {
  /** Longer than the usual bounded wait, for whole series and chains. */
  readonly patience_ms?: number
}

/** Raw SQL; errors come out as Refusals. bigint columns are read as numbers: all of ours are safe integers. */
export interface Sql {
  rows<R extends object>(text: string, values?: readonly unknown[], options?: QueryOptions): Promise<R[]>
  /** How many rows a statement touched. */
  count(text: string, values?: readonly unknown[]): Promise<number>
}

/** What a store works with: both ways into one connection or, outside a transaction, into the pool. */
export interface Session {
  readonly sql: Sql
  readonly prisma: PrismaClient
  readonly transactional: boolean
  /** What the running unit of work noted so far, by tenant: written right before COMMIT, so that a chain's row is the last lock it takes (REL-025). */
  readonly trail: Trail
  /** Runs `work` in this session's transaction, or in one of its own where there is none. */
  atomically<T>(work: (session: Session) => Promise<T>): Promise<T>
  /** Notes that documents of a kind were written: the revision rises when that is committed. */
  touched(tenant: string, kind: string): void
}

export type Trail = Map<string, { readonly at: string; readonly draft: AuditDraft }[]>

type Ask = (config: QueryConfig) => Promise<QueryResult>

const int8 = 20
const numbers = { getTypeParser: (oid: number, format?: 'text' | 'binary') => (oid === int8 && format !== 'binary' ? Number : types.getTypeParser(oid, format as 'text')) }

/** CORE-012: a query that names no tenant is an error, never "all". */
export function requireTenant(tenant: string): void {
  if (typeof tenant !== 'string' || tenant === '') throw new Refusal('invalid', 'every call to a store names the tenant')
}

export function sqlOver(ask: Ask): Sql {
  const run = async (text: string, values: readonly unknown[] = [], options: QueryOptions = {}): Promise<QueryResult> => {
    const patience = options.patience_ms === undefined ? {} : { query_timeout: options.patience_ms }
    try { return await ask({ text, values: values as unknown[], types: numbers as CustomTypesConfig, ...patience }) } catch (error) { throw toRefusal(error) }
  }
  return {
    rows: async <R extends object>(text: string, values?: readonly unknown[], options?: QueryOptions) => (await run(text, values, options)).rows as R[],
    count: async (text, values) => (await run(text, values)).rowCount ?? 0,
  }
}

/** Prisma takes a Pool and calls its `query`: this one holds no connection of its own and asks ours. */
class Gate extends Pool {
  readonly #ask: Ask
  constructor(ask: Ask) {
    super({ max: 1 })
    this.#ask = ask
  }
  override query(config: unknown): never {
    // Prisma passes errors that are not the driver's through as they are: ours keep their kind and their cause.
    return this.#ask(config as QueryConfig).catch((error: unknown) => { throw toRefusal(error) }) as never
  }
  override connect(): never {
    throw new Error('transactions are made by UnitOfWork.run')
  }
}

export const prismaOver = (ask: Ask): PrismaClient => new PrismaClient({ adapter: new PrismaPg(new Gate(ask)) })

/** A client that is fit to be used again: an ordinary SQL error leaves it whole, all else poisons it (REL-022). */
export const reusable = (error: unknown): boolean => /^[0-9A-Z]{5}$/.test(sqlState(error) ?? '') && !lostConnection(error)

/** One statement on a pooled client. A read that met a dead connection is asked again on a new one: reads are idempotent (REL-021). */
export function askPool(pool: Pool): Ask {
  const once: Ask = async (config) => {
    const client = await pool.connect()
    let fit = true
    try { return await client.query(config) } catch (error) { fit = reusable(error); throw error } finally { client.release(!fit) }
  }
  // A restart kills all pooled connections at once, and each may be handed out before its end is noticed.
  return async (config) => {
    const read = /^\s*select\b/i.test(config.text) && !/\bfor update\b|pg_|nextval/i.test(config.text)
    for (let n = 1; ; n++) {
      try { return await once(config) } catch (error) {
        if (!read || n >= 5 || !lostConnection(error) || timedOut(error)) throw error
      }
    }
  }
}
