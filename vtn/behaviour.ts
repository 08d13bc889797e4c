import type { RefusalKind } from '#core/error.js'
import type { DocumentQuery } from '#core/port/store/document.js'
import type { Stores } from '#core/port/store/index.js'
import type { Instant } from '#core/quantity/interval.js'
import type { Context } from '#vtn/context.js'
import type { VtnCaller } from '#vtn/identity.js'
import type { RawQuery } from '#vtn/query.js'
import type { Content, Placed, Stored } from '#vtn/stored.js'
import type { ObjectType } from '#vtn/wire/field.js'

/** One command on one object, as the behaviour of its noun sees it. */
export interface Command<C = Content> {
  readonly context: Context
  readonly caller: VtnCaller
  readonly content: C
  /** The stored object that is being replaced; undefined on create. */
  readonly old: Stored | undefined
  /** Id that the object has or will have. */
  readonly id: string
  /** OA-091: how this surface refuses an unknown reference. */
  readonly unknown: RefusalKind
  readonly surface: '3.1.1' | '3.0.1'
}

/** How a list is asked for, besides its query string. */
export interface Asking {
  readonly now: Instant
  readonly surface: '3.1.1' | '3.0.1'
  /** Targets that the query names. */
  readonly asked: readonly string[] | undefined
}

/** What happens around one noun; everything else is derived. `C` is the checked request. */
export interface Behaviour<C = Content> {
  /** Filters of the list beyond privacy, targets and paging. */
  filter?(query: RawQuery, ask: Asking): Partial<DocumentQuery>
  /** The target column does not hold targets (subscriptions): `filter` sees to the ones that are asked for. */
  readonly filtersTargets?: boolean
  /** Checks that may wait for the world (an echo), before the transaction. */
  admit?(command: Command<C>): Promise<void>
  /** Decides what is stored and where; references are looked up in the same transaction. */
  place(command: Command<C>, stores: Stores): Promise<Placed>
  /** Further rows of the same transaction (a second uniqueness). */
  companions?(stores: Stores, command: Command<C>, placed: Placed): Promise<void>
  /** Removes the companions with the object. */
  part?(stores: Stores, doc: Stored): Promise<void>
  /** Nouns whose objects have this one as parent, removed with it (OA-093). */
  readonly children?: readonly ObjectType[]
  /** The noun that `parent` names; checked again after commit so that no orphan stays (OA-093). */
  readonly parentOf?: ObjectType
  /** What is taken when the unique key is. */
  readonly taken?: string
  /** OA-094: kept for the settlement archive when it leaves the API. */
  readonly archived?: boolean
}
