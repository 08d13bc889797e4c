/** What every stored thing has (core-dr.md §3): opaque UUIDv7 id, +1 version per change, stamps in epoch ms. */
export interface Entity {
  readonly id: string
  readonly tenant: string
  readonly version: number
  readonly createdAt: number
  readonly modifiedAt: number
}

/** What a caller gives to make one; the store adds version and stamps. */
export type Draft<T extends Entity> = Omit<T, 'version' | 'createdAt' | 'modifiedAt'>

export interface PageQuery {
  readonly limit: number
  /** Opaque position after the last item of the page before. */
  readonly cursor?: string | undefined
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
}

/**
 * One aggregate's table. Every call names the tenant (CORE-012); an unknown or foreign id is `undefined`.
 * Lists are by creation order (id ascending), paged by key, stable under inserts (REL-030).
 * `insert` throws Refusal 'conflict' on a taken unique name; `update` throws 'stale' when `version` is not the stored one (CORE-014).
 */
export interface Table<T extends Entity, Where> {
  get(tenant: string, id: string): Promise<T | undefined>
  getMany(tenant: string, ids: readonly string[]): Promise<T[]>
  list(tenant: string, where: Where, page: PageQuery): Promise<Page<T>>
  insert(draft: Draft<T>): Promise<T>
  insertMany(drafts: readonly Draft<T>[]): Promise<T[]>
  /** Stores the whole entity as given, version + 1. */
  update(entity: T): Promise<T>
}

/** Tables whose rows have a name that is unique in the tenant; references take the id or the name (contract §6). */
export interface NamedTable<T extends Entity & { readonly name: string }, Where> extends Table<T, Where> {
  find(tenant: string, idOrName: string): Promise<T | undefined>
  /** The same for many at once: reference → entity; unknown ones are absent. */
  findMany(tenant: string, idsOrNames: readonly string[]): Promise<Map<string, T>>
}
