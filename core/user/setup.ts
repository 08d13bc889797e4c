import { createHash, randomBytes } from 'node:crypto'
import { system } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import { createUser, userKind, type NewSecrets } from '#core/user/user.js'
import type { Work } from '#core/work.js'

/** SEC-068: there is no default login. Whoever holds the one-time secret of a server without people makes the first one. */
interface Setup { readonly madeAt: number }

const kind = 'core/Setup', id = 'first-person'
const hash = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** A fresh secret at every start, as long as nobody signs in here with a name; the one before opens nothing any more. */
export async function offerSetup(work: Work, tenant: string): Promise<string | undefined> {
  const { stores, clock } = work
  await stores.documents.remove(tenant, kind, id)
  if ((await stores.documents.count(tenant, { kind: userKind })) > 0) return undefined
  const secret = randomBytes(18).toString('base64url')
  await stores.documents.insert<Setup>({ tenant, kind, id, parent: '', key: hash(secret), body: { madeAt: clock.nowMs() } }, clock.nowMs())
  return secret
}

/** Used up by the first who comes; the person is an administrator and gets password and authenticator key, shown this once. */
export async function takeSetup(work: Work, tenant: string, secret: string, name: string): Promise<NewSecrets> {
  const { stores } = work, found = await stores.documents.byKey<Setup>(tenant, kind, '', hash(secret))
  if (!found || (await stores.documents.count(tenant, { kind: userKind })) > 0 || !(await stores.documents.remove(tenant, kind, id))) throw new Refusal('unauthenticated', 'this setup secret was used, or belongs to an earlier start of the server')
  return (await createUser(work, system(tenant), { name, role: 'admin' })).secrets
}
