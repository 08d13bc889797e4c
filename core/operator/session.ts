import type { FastifyInstance } from 'fastify'
import { Type, type Static } from 'typebox'
import type { Core } from '#core/assemble.js'
import type { Role } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { Document } from '#core/port/store/document.js'
import { roles as allRoles } from '#core/token/token.js'
import { changeUser, createUser, listUsers, signIn, type User } from '#core/user/user.js'
import { administrators } from '#core/operator/roles.js'
import { created, ok, type OperatorRoute } from '#core/operator/route.js'
import { closed, name, page } from '#core/operator/schema.js'
import { stamp } from '#core/operator/wire.js'

const role = Type.Union(allRoles.map((r) => Type.Literal(r)))
const user = closed({ name, role })
const change = closed({ state: Type.Optional(Type.Union([Type.Literal('active'), Type.Literal('disabled')])), role: Type.Optional(role), reset: Type.Optional(Type.Boolean()) })
const session = closed({ user: name, password: Type.String({ minLength: 1, maxLength: 200 }), code: Type.String({ pattern: '^\\d{6}$' }) })
const view = (d: Document<User>) => ({ id: d.id, version: d.version, createdAt: stamp(d.createdAt), name: d.body.name, role: d.body.role, state: d.body.state, locked: d.body.lockedUntil > 0 })

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

/** Passwords are costly to check on purpose: more than this many at once are told to wait. */
const mostAtOnce = 4

/**
 * `POST /session`: open, because whoever calls it has no token yet. The answer is a token in the body and no cookie, so no other
 * site can ride on it (SEC-066).
 */
export function sessionRoute(app: FastifyInstance, { core, tenant, machine }: { core: Core; tenant: string; machine: Clock }): void {
  let checking = 0
  app.post('/session', { config: { roles: 'open' }, schema: { hide: true, body: session } }, async (request, reply) => {
    if (checking >= mostAtOnce) throw new Refusal('rateLimited', 'too many people sign in at this moment')
    checking++
    try {
      const found = await signIn(core.transact, tenant, request.body as Static<typeof session>, machine.nowMs())
      if (found.outcome !== 'in') throw found.outcome === 'locked' ? new Refusal('rateLimited', 'too many wrong answers: this name is locked for a quarter of an hour') : new Refusal('unauthenticated', 'name, password and code do not fit together')
      return reply.code(201).header('cache-control', 'no-store').send({ token: found.token, user: found.user, role: found.role })
    } finally {
      checking--
    }
  })
}
