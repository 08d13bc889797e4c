import { isRefusal, Refusal } from '#core/error.js'
import type { DocumentQuery } from '#core/port/store/document.js'
import type { Stores } from '#core/port/store/index.js'
import { sees, visible, type View } from '#vtn/access.js'
import type { Asking, Behaviour, Command } from '#vtn/behaviour.js'
import type { Context } from '#vtn/context.js'
import type { VtnCaller } from '#vtn/identity.js'
import type { Change } from '#vtn/notice.js'
import type { PageCut, RawQuery } from '#vtn/query.js'
import { listTogether } from '#vtn/list-together.js'
import { nounOf, type Noun } from '#vtn/registry.js'
import { kindOf, type Content, type Placed, type Stored } from '#vtn/stored.js'

/** How a surface differs where objects are written. */
export interface Manner {
  readonly surface: '3.1.1' | '3.0.1'
  readonly unknown: 'conflict' | 'invalid'
}

export interface Objects {
  list(noun: Noun, view: View, ask: Omit<Asking, 'now'> & { readonly query: RawQuery; readonly cut: PageCut; readonly within?: Partial<DocumentQuery> | undefined }): Promise<Stored[]>
  get(noun: Noun, view: View, id: string): Promise<Stored>
  /** `also` is written in the same transaction. */
  create(noun: Noun, caller: VtnCaller, content: Content, manner: Manner, also?: Also): Promise<Stored>
  /** Creates inside a transaction that is under way: what belongs to an object is made with it or not at all. */
  createWithin(stores: Stores, noun: Noun, caller: VtnCaller, content: Content, manner: Manner): Promise<Stored>
  replace(noun: Noun, caller: VtnCaller, view: View, id: string, content: Content, manner: Manner): Promise<Stored>
  remove(noun: Noun, caller: VtnCaller, view: View, id: string): Promise<Stored>
}

export type Also = (stores: Stores, made: Stored) => Promise<void>

const absent = (noun: Noun, id: string): Refusal => new Refusal('notFound', `no ${noun.described.name} ${id}`)

/** The five verbs, the same for every noun; each write is one transaction with its notices (OA-130). */
export function makeObjects(context: Context): Objects {
  const { documents, unitOfWork, clock, ids, notices, config } = context
  const { tenant } = config
  const lists = listTogether(documents, tenant)

  async function get(noun: Noun, view: View, id: string): Promise<Stored> {
    // SEC-034: the database leaves out what is hidden, so that hidden and absent cost the same.
    const within = visible(view, undefined)
    const [doc] = within ? await documents.list<Content>(tenant, { kind: kindOf[noun.objectType], ids: [id], ...within, limit: 1 }) : []
    if (!doc || !sees(view, doc)) throw absent(noun, id)
    return doc
  }

  async function create(noun: Noun, caller: VtnCaller, content: Content, manner: Manner, also?: Also): Promise<Stored> {
    const { behaviour } = noun
    const command: Command = { context, caller, content, old: undefined, id: ids.uuid(), ...manner }
    await behaviour.admit?.(command)
    const made = await unitOfWork.run(async (stores) => {
      const after = await insert(stores, noun, command)
      await also?.(stores, after)
      return after
    })
    await withoutOrphan(noun, made, manner)
    return made
  }

  async function insert(stores: Stores, noun: Noun, command: Command): Promise<Stored> {
    const { behaviour } = noun
    const placed = await behaviour.place(command, stores)
    await behaviour.companions?.(stores, command, placed)
    const after = await named(noun, () => stores.documents.insert({ tenant, kind: kindOf[noun.objectType], id: command.id, ...row(placed) }, clock.nowMs()))
    await notices.record(stores, [{ objectType: noun.objectType, operation: 'CREATE', after }])
    return after
  }

  async function createWithin(stores: Stores, noun: Noun, caller: VtnCaller, content: Content, manner: Manner): Promise<Stored> {
    const command: Command = { context, caller, content, old: undefined, id: ids.uuid(), ...manner }
    await noun.behaviour.admit?.(command)
    return insert(stores, noun, command)
  }

  /**
   * OA-093: the parent may have been deleted while we committed. Whoever commits second sees the other: here we look for the
   * parent after our commit, `remove` looks for children after its own.
   */
  async function withoutOrphan(noun: Noun, made: Stored, manner: Manner): Promise<void> {
    const { parentOf } = noun.behaviour
    if (!parentOf || made.parent === '' || await documents.get(tenant, kindOf[parentOf], made.parent)) return
    await unitOfWork.run((stores) => sweep(stores, noun, [made], []))
    throw new Refusal(manner.unknown, `${parentOf.toLowerCase()} ${made.parent} was deleted meanwhile`)
  }

  async function replace(noun: Noun, caller: VtnCaller, view: View, id: string, content: Content, manner: Manner): Promise<Stored> {
    await noun.behaviour.admit?.({ context, caller, content, old: await get(noun, view, id), id, ...manner })
    // PUT knows no precondition, so the last one wins: those that come together are written one after the other, each on what is there then.
    return inTurn(id, async () => {
      for (let left = 5; ; left -= 1) {
        try {
          return await overwrite(noun, caller, await get(noun, view, id), content, manner)
        } catch (error) {
          if (!isRefusal(error) || error.kind !== 'stale') throw error
          if (left === 0) throw new Refusal('conflict', 'the object was changed at the same time; read it and try again', { cause: error })
        }
      }
    })
  }

  /** Writes to one object wait for each other in this process; another process is met by its version. */
  const turns = new Map<string, Promise<unknown>>()
  function inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const next = (turns.get(id) ?? Promise.resolve()).then(work, work)
    const settled = next.catch(() => undefined).finally(() => { if (turns.get(id) === settled) turns.delete(id) })
    turns.set(id, settled)
    return next
  }

  function overwrite(noun: Noun, caller: VtnCaller, old: Stored, content: Content, manner: Manner): Promise<Stored> {
    const { behaviour } = noun, { id } = old
    const command: Command = { context, caller, content, old, id, ...manner }
    return unitOfWork.run(async (stores) => {
      const placed = await behaviour.place(command, stores)
      await behaviour.companions?.(stores, command, placed)
      // OA-054: modificationDateTime advances strictly, also within one millisecond.
      const at = Math.max(clock.nowMs(), old.modifiedAt + 1)
      const after = await named(noun, () => stores.documents.replace({ tenant, kind: old.kind, id, ...row(placed) }, at, old.version))
      const same = JSON.stringify(after.body) === JSON.stringify(old.body)
      if (!same) await notices.record(stores, [{ objectType: noun.objectType, operation: 'UPDATE', before: old, after }])
      return after
    })
  }

  async function remove(noun: Noun, _caller: VtnCaller, view: View, id: string): Promise<Stored> {
    const doc = await get(noun, view, id)
    const children = async (stores: Stores): Promise<boolean> => (await childrenOf(stores, noun, [doc], 1)).length > 0
    await unitOfWork.run(async (stores) => {
      if (config.delete?.policy === 'restrict' && await children(stores)) throw new Refusal('conflict', `this ${noun.described.name} is still referred to (OA-093)`)
      const changes: Change[] = []
      const gone = await sweep(stores, noun, [doc], changes)
      if (!gone) throw absent(noun, id)
      await notices.record(stores, changes)
    })
    if (noun.behaviour.children?.length && await children({ documents } as Stores)) {
      await unitOfWork.run(async (stores) => { await sweepChildren(stores, noun, [doc], []) })
    }
    return doc
  }

  async function childrenOf(stores: Stores, noun: Noun, docs: readonly Stored[], limit?: number): Promise<{ noun: Noun; docs: Stored[] }[]> {
    const out = []
    for (const objectType of noun.behaviour.children ?? []) {
      const child = nounOf(objectType)
      const found = (await Promise.all(docs.map((d) => stores.documents.list<Content>(tenant, { kind: kindOf[objectType], parent: d.id, ...(limit ? { limit } : {}) })))).flat()
      if (found.length) out.push({ noun: child, docs: found })
    }
    return out
  }

  async function sweepChildren(stores: Stores, noun: Noun, docs: readonly Stored[], changes: Change[]): Promise<void> {
    for (const child of await childrenOf(stores, noun, docs)) await sweep(stores, child.noun, child.docs, changes)
  }

  /** Removes objects and what hangs on them, children first; each one is archived and told (OA-093, OA-094). */
  async function sweep(stores: Stores, noun: Noun, docs: readonly Stored[], changes: Change[]): Promise<boolean> {
    await sweepChildren(stores, noun, docs, changes)
    let any = false
    for (const doc of docs) {
      if (!await stores.documents.remove(tenant, doc.kind, doc.id)) continue
      any = true
      await noun.behaviour.part?.(stores, doc)
      changes.push({ objectType: noun.objectType, operation: 'DELETE', before: doc })
    }
    if (noun.behaviour.archived && docs.length) {
      await stores.documents.insertMany(docs.map((d) => ({ tenant, kind: `vtn/archived-${noun.described.name}`, id: d.id, parent: d.parent, owner: d.owner, body: d })), clock.nowMs(), { onConflict: 'skip' })
    }
    return any
  }

  return {
    get, create, createWithin, replace, remove,
    async list(noun, view, { query, cut, asked, surface, within }) {
      const filter = noun.behaviour.filter?.(query, { now: clock.now(), surface, asked }) ?? {}
      const privacy = visible(view, noun.behaviour.filtersTargets ? undefined : asked)
      if (!privacy || cut.limit === 0) return []
      return lists.ask({ kind: kindOf[noun.objectType], ...filter, ...privacy, ...within, skip: cut.skip, limit: cut.limit })
    },
  }
}

const row = (placed: Placed) => ({
  parent: placed.parent ?? '', key: placed.key ?? null, targets: placed.targets ?? [], owner: placed.owner ?? null,
  sort1: placed.sort1 ?? 0, sort2: placed.sort2 ?? 0, body: placed.content,
})

/** A taken key is told in the noun's words. */
async function named<T>(noun: { behaviour: Behaviour }, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isRefusal(error) && error.kind === 'conflict' ? new Refusal('conflict', noun.behaviour.taken ?? error.message, { cause: error }) : error
  }
}
