import type { Page } from '#core/port/store/entity.js'

/**
 * A described resource of a protocol room, stored whole: the store knows no protocol, so a new resource needs no table.
 * `kind` is room/Noun, e.g. 'vtn/event', 'csip/DERControl', 'csms/Transaction'. `body` is kept as JSON text: member order
 * and number literals that JSON.stringify writes are what comes back.
 */
export interface Document<B = unknown> {
  readonly tenant: string
  readonly kind: string
  readonly id: string
  /** The collection it lives in: a parent's id or href; '' for none. Lists are by (kind, parent). */
  readonly parent: string
  /** Unique within (tenant, kind, parent) when not null: a name, an mRID, an LFDI. */
  readonly key: string | null
  /** Who may see it besides its maker's rules: targets, as text; used with an index. */
  readonly targets: readonly string[]
  /** Identity that made it (clientID, LFDI, station id); null for the server. */
  readonly owner: string | null
  /** Two numbers to sort and filter by (e.g. primacy, start time); 0 when unused. */
  readonly sort1: number
  readonly sort2: number
  readonly version: number
  readonly createdAt: number
  readonly modifiedAt: number
  readonly body: B
}

export type NewDocument<B = unknown> = Omit<Document<B>, 'version' | 'createdAt' | 'modifiedAt' | 'key' | 'targets' | 'owner' | 'sort1' | 'sort2'>
  & Partial<Pick<Document<B>, 'key' | 'targets' | 'owner' | 'sort1' | 'sort2'>>

export interface DocumentQuery {
  readonly kind: string
  readonly parent?: string
  readonly key?: string
  readonly ids?: readonly string[]
  readonly owner?: string
  /** Documents of any of these owners. */
  readonly owners?: readonly string[]
  /** Documents without targets, or with at least one of these (OpenADR object privacy: hidden unless shared). */
  readonly visibleTo?: readonly string[]
  /** Documents that have all of these targets (a caller's own filter). */
  readonly withTargets?: readonly string[]
  /** Documents that have at least one of these targets; those without targets are left out. */
  readonly withAnyTarget?: readonly string[]
  /** Top-level members of the body that must be equal, compared as text (programID, objectType …). */
  readonly where?: Readonly<Record<string, string>>
  readonly sort1From?: number
  readonly sort1To?: number
  readonly sort2From?: number
  readonly sort2To?: number
  /** Epoch ms: made at or after, and made before. */
  readonly createdFrom?: number
  readonly createdBefore?: number
  /** Default: createdAt, id ascending. Any mix of these, each ascending unless prefixed '-'. */
  readonly order?: readonly ('id' | 'key' | 'createdAt' | 'sort1' | 'sort2' | '-id' | '-key' | '-createdAt' | '-sort1' | '-sort2')[]
  readonly skip?: number
  readonly limit?: number
}

/**
 * Documents of the protocol rooms, on PostgreSQL. Every call names the tenant (CORE-012).
 * `insert` throws Refusal 'conflict' when the key is taken (by constraint, so 50 parallel creates give one winner);
 * `replace` throws 'notFound', or 'stale' when `ifVersion` is given and is not the stored one.
 */
export interface DocumentStore {
  get<B>(tenant: string, kind: string, id: string): Promise<Document<B> | undefined>
  byKey<B>(tenant: string, kind: string, parent: string, key: string): Promise<Document<B> | undefined>
  list<B>(tenant: string, query: DocumentQuery): Promise<Document<B>[]>
  count(tenant: string, query: DocumentQuery): Promise<number>
  /** Every target that at least one of these documents has, once each, in no order. */
  targetsOf(tenant: string, query: DocumentQuery): Promise<string[]>
  insert<B>(document: NewDocument<B>, nowMs: number): Promise<Document<B>>
  /** One statement for the whole batch (unnest); either all or none. `onConflict: 'skip'` leaves taken keys or ids alone and returns what was stored. `quiet` returns nothing, for writers in bulk. */
  insertMany<B>(documents: readonly NewDocument<B>[], nowMs: number, options?: { onConflict?: 'fail' | 'skip' | 'replace'; quiet?: boolean }): Promise<Document<B>[]>
  replace<B>(document: NewDocument<B>, nowMs: number, ifVersion?: number): Promise<Document<B>>
  remove(tenant: string, kind: string, id: string): Promise<boolean>
  /** Removes every document whose kind and parent are given; returns how many. */
  removeAll(tenant: string, kind: string, parent: string): Promise<number>
  /**
   * Change counter of a kind: raised in the same transaction as every write to it and spread by NOTIFY to all processes;
   * read from memory, so it may key cached buffers (stack.md "Cache rule").
   */
  revision(tenant: string, kind: string): number
  onChange(listener: (change: { tenant: string; kind: string }) => void): () => void
}

export type DocumentPage<B> = Page<Document<B>>
