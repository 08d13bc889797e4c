import { Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { Draft, Entity, NamedTable, Table } from '#core/port/store/entity.js'
import { toRefusal } from '#prisma/error-map.js'
import { Prisma } from '#prisma/generated/client.js'
import { requireTenant, type Session } from '#prisma/session.js'
import { pageOf, readCursor } from '#prisma/store/cursor.js'
import { conditions, type Where as Filter } from '#prisma/store/where.js'

/** The part of a Prisma model that tables use. Prisma's own types are generic in every argument: one cast, here, hides that. */
interface Model {
  findFirst(args: object): PromiseLike<Row | null>
  findMany(args: object): PromiseLike<Row[]>
  create(args: object): PromiseLike<Row>
  updateManyAndReturn(args: object): PromiseLike<Row[]>
}

type Row = Record<string, unknown>

export interface Mapping<T extends Entity, Where> {
  /** The model as Prisma names it, and its table. */
  readonly model: Uncapitalize<Prisma.ModelName>
  readonly table: string
  /** JSON columns that may be null. */
  readonly nullableJson?: readonly (keyof T & string)[]
  /** Columns made from the entity for an index, absent in the entity. */
  readonly derived?: { readonly fields: readonly string[]; of(entity: Draft<T>): Row }
  /** By column. */
  readonly where: (where: Where) => Filter
}

const names = new Map<string, string>()
/** The column of a field; looked up, since a fleet's rows ask for it a hundred thousand times. */
function snake(field: string): string {
  const known = names.get(field)
  if (known !== undefined) return known
  const made = field.replace(/(_?)([A-Z])/g, (_, __, letter: string) => `_${letter.toLowerCase()}`)
  names.set(field, made)
  return made
}

type Described = Pick<Mapping<Entity, never>, 'model' | 'derived'>
const fieldsOf = ({ model, derived }: Described): string[] =>
  Object.values((Prisma as unknown as Record<string, Readonly<Record<string, string>>>)[`${model[0]!.toUpperCase()}${model.slice(1)}ScalarFieldEnum`]!).filter((f) => !derived?.fields.includes(f))

export const columnsOf = (mapping: object): string[] => fieldsOf(mapping as Described).map(snake)
/** A model's columns under the names of its fields: what a raw query selects to get entities as they are. */
export const selected = (mapping: object): string => fieldsOf(mapping as Described).map((f) => `"${snake(f)}" as "${f}"`).join(', ')

const plain = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value)

async function guarded<R>(work: PromiseLike<R>): Promise<R> {
  try { return await work } catch (error) { throw toRefusal(error) }
}

/**
 * One aggregate: single entities over Prisma; batches and lists as one statement of raw SQL each, since a fleet's rows through Prisma
 * hold the event loop (stack.md).
 */
export function table<T extends Entity, Where>(session: Session, clock: Clock, mapping: Mapping<T, Where>): Table<T, Where> {
  const model = session.prisma[mapping.model] as unknown as Model
  const derive = (entity: Draft<T>): Row => mapping.derived?.of(entity) ?? {}
  const fromRow = (row: Row): T => {
    const entity: Row = {}
    for (const [field, value] of Object.entries(row)) entity[field] = plain(value)
    for (const field of mapping.derived?.fields ?? []) delete entity[field]
    return entity as unknown as T
  }
  const nullable = mapping.nullableJson ?? []
  const toRow = (entity: Draft<T>): Row => {
    const row: Row = { ...entity, ...derive(entity) }
    for (const field of nullable) if (row[field] === null || row[field] === undefined) row[field] = Prisma.DbNull
    return row
  }
  const columns = selected(mapping)
  const stamped = (draft: Draft<T>): T => {
    const now = clock.nowMs()
    return { ...draft, version: 1, createdAt: now, modifiedAt: now } as unknown as T
  }

  return {
    async get(tenant, id) {
      requireTenant(tenant)
      const row = await guarded(model.findFirst({ where: { tenant, id } }))
      return row ? fromRow(row) : undefined
    },
    async getMany(tenant, ids) {
      requireTenant(tenant)
      if (ids.length === 0) return []
      return await session.sql.rows<T>(`select ${columns} from "${mapping.table}" where tenant = $1 and id = any($2) order by id`, [tenant, ids])
    },
    async list(tenant, where, { limit, cursor }) {
      requireTenant(tenant)
      const after = readCursor(cursor, 1)
      const values: unknown[] = [tenant], asked = ['tenant = $1', ...conditions(mapping.where(where), values), ...(after ? [`id > $${values.push(after[0])}`] : [])]
      const found = await session.sql.rows<T>(`select ${columns} from "${mapping.table}" where ${asked.join(' and ')} order by id limit $${values.push(limit + 1)}`, values)
      return pageOf(found, limit, (item) => [item.id])
    },
    async insert(draft) {
      requireTenant(draft.tenant)
      return fromRow(await guarded(model.create({ data: toRow(stamped(draft)) })))
    },
    async insertMany(drafts) {
      if (drafts.length === 0) return []
      for (const draft of drafts) requireTenant(draft.tenant)
      const entities = drafts.map(stamped)
      await session.sql.count(`insert into "${mapping.table}" select * from json_populate_recordset(null::"${mapping.table}", $1::json)`, [asRecords(entities, mapping.derived && derive)])
      return entities
    },
    async update(entity) {
      requireTenant(entity.tenant)
      const { tenant, id, version, createdAt: _, ...rest } = toRow(entity) as Row & Entity
      const data = { ...rest, version: version + 1, modifiedAt: clock.nowMs() }
      const [row] = await guarded(model.updateManyAndReturn({ where: { tenant, id, version }, data }))
      if (row) return fromRow(row)
      const there = await guarded(model.findFirst({ where: { tenant, id }, select: { version: true } }))
      throw there ? stale(mapping.table) : new Refusal('notFound', `there is no such ${mapping.table.replaceAll('_', ' ')}`)
    },
  }
}

/** Entities as the JSON that PostgreSQL itself turns into rows of the table. */
export function asRecords<T extends object>(entities: readonly T[], derive?: (entity: never) => Row): string {
  return JSON.stringify(entities.map((entity) => {
    const row: Row = {}, more = derive?.(entity as never) ?? {}
    for (const field in entity) row[snake(field)] = entity[field]
    for (const field in more) row[snake(field)] = more[field]
    return row
  }))
}

export const stale = (what: string): Refusal => new Refusal('stale', `this ${what.replaceAll('_', ' ')} has been changed since it was read`)

/** Tables whose rows are also found by a name that is unique in the tenant (contract §6). */
export function namedTable<T extends Entity & { readonly name: string }, Where>(session: Session, clock: Clock, mapping: Mapping<T, Where>): NamedTable<T, Where> {
  const base = table(session, clock, mapping)
  const model = session.prisma[mapping.model] as unknown as Model
  return {
    ...base,
    async find(tenant, idOrName) {
      const byId = await base.get(tenant, idOrName)
      if (byId) return byId
      const row = await guarded(model.findFirst({ where: { tenant, name: idOrName }, select: { id: true } }))
      return row ? await base.get(tenant, row['id'] as string) : undefined
    },
    async findMany(tenant, idsOrNames) {
      requireTenant(tenant)
      const out = new Map<string, T>(), wanted = [...new Set(idsOrNames)]
      for (let i = 0; i < wanted.length; i += 5000) {
        const some = wanted.slice(i, i + 5000)
        const named = await guarded(model.findMany({ where: { tenant, name: { in: some } }, select: { id: true, name: true } }))
        const byId = new Map((await base.getMany(tenant, [...some, ...named.map((r) => r['id'] as string)])).map((e) => [e.id, e]))
        for (const row of named) out.set(row['name'] as string, byId.get(row['id'] as string)!)
        // an id before a name, as `find` does
        for (const reference of some) if (byId.has(reference)) out.set(reference, byId.get(reference)!)
      }
      return out
    },
  }
}
