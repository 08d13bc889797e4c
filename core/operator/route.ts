import type { TSchema } from 'typebox'
import type { Core } from '#core/assemble.js'
import type { Caller, Role } from '#core/caller.js'
import type { Work } from '#core/work.js'

/** What a route is handed: who asks and what for, checked against its schemas. */
export interface Ask {
  readonly caller: Caller
  readonly core: Core
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | undefined>>
  // checked by the route's own schema before it gets here
  readonly body: never
  /** From If-Match, or `version` in the body: the version that the caller means to change (CORE-014). */
  readonly ifVersion: number | undefined
  /** What the caller would rather have, from Accept. */
  readonly accept: string
}

export interface Answer {
  readonly status?: number
  readonly body: unknown
  readonly location?: string
  /** Anything but JSON: `body` goes out as it is, text or a stream. */
  readonly type?: string
}

/** One route of the operator API as data: path, who may call, what goes in, an example that a test executes, and what it does. */
export interface OperatorRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below /api/v1, with `:name` parameters. */
  readonly path: string
  readonly summary: string
  readonly roles: readonly Role[]
  readonly query?: TSchema
  readonly body?: TSchema
  readonly example?: unknown
  readonly bodyLimit?: number
  /** Content types besides JSON that come as a stream; `act` is then handed `{ body, type, key }`. */
  readonly forms?: readonly string[]
  /** Asks the stores, changes nothing. */
  readonly read?: (ask: Ask) => Promise<Answer>
  /** Runs inside one transaction, idempotency record included (CORE-013, CORE-015). */
  readonly command?: (work: Work, ask: Ask) => Promise<Answer>
  /** Brings its own transactions: only what must not wait for one (stop). */
  readonly act?: (ask: Ask) => Promise<Answer>
  /** After a command has been committed. */
  readonly after?: (ask: Ask) => void
}

export const ok = (body: unknown): Answer => ({ body })
export const created = (path: string, id: string, body: unknown): Answer => ({ status: 201, location: `/api/v1/${path}/${id}`, body })
