import { Type } from 'typebox'
import type { Role } from '#core/caller.js'
import type { Document } from '#core/port/store/document.js'
import { roles as allRoles } from '#core/token/token.js'
import { changeUser, createUser, listUsers, type User } from '#core/user/user.js'
import { administrators } from '#core/operator/roles.js'
import { created, ok, type OperatorRoute } from '#core/operator/route.js'
import { closed, name, page } from '#core/operator/schema.js'
import { stamp } from '#core/operator/wire.js'

const role = Type.Union(allRoles.map((r) => Type.Literal(r)))
const user = closed({ name, role })
const change = closed({ state: Type.Optional(Type.Union([Type.Literal('active'), Type.Literal('disabled')])), role: Type.Optional(role), reset: Type.Optional(Type.Boolean()) })
const view = (d: Document<User>) => ({ id: d.id, version: d.version, createdAt: stamp(d.createdAt), name: d.body.name, role: d.body.role, state: d.body.state, locked: d.body.lockedUntil > 0, passkeys: d.body.passkeys?.length ?? 0 })

export const userRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'users', summary: 'People who sign in with password and second factor', roles: administrators, query: page({}), read: async ({ core, caller }) => ok({ items: (await listUsers(core.database.stores, caller.tenant)).map(view), next: null }) },
  { method: 'POST', path: 'users', summary: 'Add a person; password and TOTP secret are shown this once', roles: administrators, body: user, example: { name: 'olga', role: 'operator' },
    command: async (work, ask) => {
      const { document, secrets } = await createUser(work, ask.caller, ask.body as { name: string; role: Role })
      return created('users', document.id, { ...view(document), ...secrets })
    } },
  { method: 'PATCH', path: 'users/:id', summary: 'Enable, disable, change the role, or give new secrets', roles: administrators, body: change,
    command: async (work, ask) => {
      const { document, secrets } = await changeUser(work, ask.caller, ask.params.id!, ask.body as Parameters<typeof changeUser>[3])
      return ok({ ...view(document), ...secrets })
    } },
]
