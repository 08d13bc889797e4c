import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { DocumentStore } from '#core/port/store/document.js'
import { Refusal } from '#core/error.js'
import type { VtnConfig } from '#vtn/config.js'
import { roleScopes, widen, type Scope, type VtnRole } from '#vtn/scope.js'
import type { Secrets } from '#vtn/secret.js'

/** An OpenADR client as the VTN knows it. `secretMark` changes with the secret, so that old tokens end with it (SEC-010). */
export interface Client {
  readonly clientID: string
  readonly role: VtnRole
  readonly secretHash: string
  readonly secretMark: string
  readonly scopes: ReadonlySet<Scope>
}

interface StoredClient {
  readonly clientID: string
  readonly role: VtnRole
  readonly secretHash: string
  readonly scopes: readonly Scope[]
}

export interface NewClient {
  readonly clientID: string
  readonly role: VtnRole
  /** Left out: one is made. */
  readonly clientSecret?: string
  readonly scopes?: readonly Scope[]
}

const kind = 'vtn/client'

/** Configured clients first, then stored ones; lookups are kept until the kind changes, so a removal counts at once (SEC-010). */
export interface Clients {
  find(clientID: string): Promise<Client | undefined>
  /** The same from memory, undefined when it must be asked for. */
  cached(clientID: string): Client | undefined | 'unknown'
  /** Adds many in one statement; answers the secrets once. */
  add(clients: readonly NewClient[]): Promise<{ clientID: string; clientSecret: string }[]>
  rotate(clientID: string): Promise<{ clientID: string; clientSecret: string }>
  remove(clientID: string): Promise<boolean>
  /** ClientIDs that read everything, configured and stored. */
  businessLogic(): Promise<string[]>
  list(skip: number, limit: number): Promise<{ clientID: string; role: VtnRole }[]>
}

export function makeClients(needs: { documents: DocumentStore; secrets: Secrets; ids: Ids; clock: Clock; config: VtnConfig }): Clients {
  const { documents, secrets, ids, clock, config } = needs
  const { tenant } = config
  const toClient = (c: StoredClient): Client => Object.freeze({
    clientID: c.clientID, role: c.role, secretHash: c.secretHash, secretMark: c.secretHash.slice(0, 12),
    scopes: widen(c.scopes.filter((s) => roleScopes[c.role].includes(s))),
  })
  const configured = new Map((config.clients ?? []).map((c) => [c.clientID, toClient({
    clientID: c.clientID, role: c.role, secretHash: c.clientSecret.startsWith('scrypt$') ? c.clientSecret : secrets.hash(c.clientSecret), scopes: (c.scopes as Scope[] | undefined) ?? roleScopes[c.role],
  })]))
  let seen = new Map<string, Client | undefined>(), seenAt = -1
  const fresh = (): typeof seen => {
    const revision = documents.revision(tenant, kind)
    if (revision !== seenAt || seen.size > 50_000) { seen = new Map(); seenAt = revision }
    return seen
  }

  return {
    cached: (clientID) => {
      const own = configured.get(clientID)
      if (own) return own
      const memory = fresh()
      return memory.has(clientID) ? memory.get(clientID) : 'unknown'
    },
    async find(clientID) {
      const own = configured.get(clientID)
      if (own) return own
      const memory = fresh()
      if (memory.has(clientID)) return memory.get(clientID)
      const stored = await documents.byKey<StoredClient>(tenant, kind, '', clientID)
      const client = stored && toClient(stored.body)
      memory.set(clientID, client)
      return client
    },
    async add(clients) {
      const made = clients.map((c) => ({ clientID: c.clientID, clientSecret: c.clientSecret ?? ids.hex(24) }))
      for (const c of clients) if (configured.has(c.clientID)) throw new Refusal('conflict', `client ${c.clientID} is configured`)
      await documents.insertMany(clients.map((c, i) => ({
        tenant, kind, id: ids.uuid(), parent: '', key: c.clientID,
        body: { clientID: c.clientID, role: c.role, secretHash: secrets.hash((made[i] as { clientSecret: string }).clientSecret), scopes: c.scopes ?? roleScopes[c.role] },
      })), clock.nowMs())
      return made
    },
    async rotate(clientID) {
      const stored = await documents.byKey<StoredClient>(tenant, kind, '', clientID)
      if (!stored) throw new Refusal('notFound', `no client ${clientID}`)
      const clientSecret = ids.hex(24)
      await documents.replace({ ...stored, body: { ...stored.body, secretHash: secrets.hash(clientSecret) } }, clock.nowMs())
      return { clientID, clientSecret }
    },
    async remove(clientID) {
      const stored = await documents.byKey(tenant, kind, '', clientID)
      return stored ? documents.remove(tenant, kind, stored.id) : false
    },
    businessLogic: async () => {
      const stored = await documents.list<StoredClient>(tenant, { kind, where: { role: 'BL' } })
      return [...configured.values(), ...stored.map((d) => toClient(d.body))].filter((c) => c.scopes.has('read_all')).map((c) => c.clientID)
    },
    list: async (skip, limit) => {
      const stored = await documents.list<StoredClient>(tenant, { kind, skip, limit })
      return stored.map(({ body }) => ({ clientID: body.clientID, role: body.role }))
    },
  }
}
