import type { Core } from '#core/assemble.js'
import { note } from '#core/audit/note.js'
import { system } from '#core/caller.js'

/** A guesser writes at most one record a minute per address, with the count: the trail tells, and cannot be flooded. */
const every_ms = 60_000
const mostAddresses = 1000

/**
 * CORE-231: login failures are in the audit trail of the tenant that the token names, or of `home` when it names none that exists.
 * Interpretation: the address is the only thing known about who failed, so it is the entity; the token itself is never written.
 */
export function loginFailures(core: Core, home: string | undefined): (address: string, token: string | undefined) => void {
  const { clock, log } = core.means, seen = new Map<string, { count: number; since: number }>()
  async function tenantOf(token: string | undefined): Promise<string | undefined> {
    const named = /^lst_([A-Za-z0-9_-]{1,200})\./.exec(token ?? '')?.[1], tenant = named === undefined ? undefined : Buffer.from(named, 'base64url').toString()
    if (tenant !== undefined && tenant !== '' && !tenant.includes('\0') && (await core.database.stores.documents.list(tenant, { kind: 'core/Token', limit: 1 })).length > 0) return tenant
    return home
  }
  async function write(address: string, token: string | undefined, count: number): Promise<void> {
    const tenant = await tenantOf(token)
    if (tenant !== undefined) await core.transact((work) => note(work, system(tenant), [{ action: 'login.fail', entity: `address:${address}`, reason: `${count} failed` }]))
  }
  return (address, token) => {
    const now = clock.nowMs(), known = seen.get(address)
    log.warn({ address, clause: 'CORE-231' }, 'a request without a valid token')
    if (known && now - known.since < every_ms * clock.rate) {
      known.count++
      return
    }
    if (!known && seen.size >= mostAddresses) seen.delete(seen.keys().next().value!)
    seen.set(address, { count: 0, since: now })
    write(address, token, (known?.count ?? 0) + 1).catch((err: unknown) => log.error({ err }, 'a login failure could not be noted'))
  }
}
