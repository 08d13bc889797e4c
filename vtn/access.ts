import { LRUCache } from 'lru-cache'
import { createHash } from 'node:crypto'
import { gather } from '#core/gather.js'
import type { DocumentQuery, DocumentStore } from '#core/port/store/document.js'
import type { VtnCaller } from '#vtn/identity.js'
import { everybody, isOpen, kindOf, type Content, type Stored } from '#vtn/stored.js'
import type { ObjectType } from '#vtn/wire/field.js'

/** Object privacy (openadr3.md §6): one place for REST, webhooks and MQTT. */
export interface Access {
  /** The granted set G of a client (OA-102), evaluated at read time (OA-109); synchronous when known. */
  grants(clientID: string): readonly string[] | Promise<readonly string[]>
  /** The clients that carry any of these targets, and which of them: for objects that are told, not asked for. */
  holders(targets: readonly string[], read?: Pick<DocumentStore, 'list'>): Promise<Map<string, Set<string>>>
}

const none: readonly string[] = Object.freeze([])

export function makeAccess(documents: DocumentStore, tenant: string): Access {
  const known = new LRUCache<string, { stamp: number; grants: readonly string[] }>({ max: 20_000 })
  // Each only rises, so the sum changes whenever one does.
  const stamp = (): number => documents.revision(tenant, kindOf.VEN) + documents.revision(tenant, kindOf.RESOURCE)

  /** Of many clients at once: after a change of one ven all that poll are asked about again. */
  async function load(clientIDs: readonly string[]): Promise<(readonly string[])[]> {
    const at = stamp(), owners = [...new Set(clientIDs)], held = new Map(owners.map((owner) => [owner, new Set<string>()]))
    const found = await Promise.all([kindOf.VEN, kindOf.RESOURCE].map((kind) => documents.list<Content>(tenant, { kind, owners })))
    for (const doc of found.flat()) for (const target of carried(doc)) held.get(doc.owner ?? '')?.add(target)
    return clientIDs.map((clientID) => {
      const grants = Object.freeze([...held.get(clientID) ?? []].sort())
      known.set(clientID, { stamp: at, grants })
      return grants
    })
  }
  const asked = gather(load, { most: 100 })

  return {
    grants(clientID) {
      if (clientID === '') return none
      const hit = known.get(clientID)
      return hit && hit.stamp === stamp() ? hit.grants : asked.ask(clientID)
    },
    async holders(targets, read = documents) {
      const out = new Map<string, Set<string>>()
      if (!targets.length) return out
      const byName = (kind: string, prefix: string): Promise<Stored[]>[] => targets.filter((t) => t.startsWith(prefix))
        .map((t) => read.list<Content>(tenant, { kind, key: t.slice(prefix.length) }))
      const found = (await Promise.all([
        read.list<Content>(tenant, { kind: kindOf.VEN, withAnyTarget: targets }),
        read.list<Content>(tenant, { kind: kindOf.RESOURCE, withAnyTarget: targets }),
        ...byName(kindOf.VEN, 'VEN_NAME='), ...byName(kindOf.RESOURCE, 'RESOURCE_NAME='),
      ])).flat()
      for (const doc of found) {
        if (doc.owner === null) continue
        const held = out.get(doc.owner) ?? new Set<string>()
        for (const t of carried(doc)) if (targets.includes(t)) held.add(t)
        out.set(doc.owner, held)
      }
      return out
    },
  }
}

/** OA-102, and OA-246: the name of a ven or resource is a target of its own, as 3.0.1 objects are aimed by name. */
const carried = (doc: Stored): string[] => [
  ...doc.targets,
  ...(doc.kind === kindOf.VEN ? [`VEN_NAME=${String(doc.key)}`] : [`RESOURCE_NAME=${String(doc.key)}`]),
]

const byTargets: ReadonlySet<ObjectType> = new Set<ObjectType>(['PROGRAM', 'EVENT'])

/** How much of a noun this reader sees. `grants` is undefined for readers of everything. */
export interface View {
  readonly objectType: ObjectType
  /** Readers of the same class get the same bytes. */
  readonly key: string
  readonly owner?: string
  readonly grants?: readonly string[]
}

/** Readers with the same grants are one class; the name of a long list is made once, not at every request. */
const classes = new WeakMap<readonly string[], string>()
function classOf(grants: readonly string[]): string {
  const known = classes.get(grants)
  if (known !== undefined) return known
  const made = `V${createHash('sha256').update(grants.join('\u0001')).digest('base64url')}`
  classes.set(grants, made)
  return made
}

export function viewOf(objectType: ObjectType, caller: VtnCaller, grants: readonly string[]): View {
  const all = caller.scopes.has('read_all')
  if (byTargets.has(objectType)) return all ? { objectType, key: 'B' } : { objectType, key: classOf(grants), grants }
  // OA-132: a subscription's secrets are for its owner, so business logic has a class for each client there.
  if (all) return { objectType, key: objectType === 'SUBSCRIPTION' ? `B${caller.subject}` : 'B' }
  return { objectType, key: `O${caller.subject}`, owner: caller.subject }
}

/** The part of a query that privacy decides (OA-100 … 105, OA-110); undefined = nothing can match. */
export function visible(view: View, asked: readonly string[] | undefined): Partial<DocumentQuery> | undefined {
  const owner = view.owner === undefined ? {} : { owner: view.owner }
  if (!view.grants) return { ...owner, ...(asked ? { withAnyTarget: asked } : {}) }
  if (!asked) return { withAnyTarget: [...everybody, ...view.grants] }
  const allowed = asked.filter((t) => view.grants?.includes(t))
  return allowed.length ? { withAnyTarget: allowed } : undefined
}

/** OA-101, OA-107: what is not visible is as if absent. */
export function sees(view: View, doc: Stored): boolean {
  if (view.owner !== undefined) return doc.owner === view.owner
  return !view.grants || isOpen(doc) || doc.targets.some((t) => view.grants?.includes(t))
}
