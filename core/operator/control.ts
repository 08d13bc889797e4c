import { Type, type Static } from 'typebox'
import { genesis, link } from '#core/audit/chain.js'
import { changeOf } from '#core/audit/detail.js'
import type { Role } from '#core/caller.js'
import { present } from '#core/permission.js'
import type { AuditRecord } from '#core/port/store/audit.js'
import type { Document } from '#core/port/store/document.js'
import { createToken, listTokens, revokeToken, roles as allRoles, type Token } from '#core/token/token.js'
import type { Stop } from '#core/stop/blocks.js'
import { administrators, auditors, staffAndGrid, stoppers } from '#core/operator/roles.js'
import { created, ok, type OperatorRoute } from '#core/operator/route.js'
import { closed, filter, page, reference, text, time } from '#core/operator/schema.js'
import { given, instantOf, pageOf, stamp } from '#core/operator/wire.js'

const token = closed({
  role: Type.Union(allRoles.map((r) => Type.Literal(r))), user: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })), expiresIn_s: Type.Optional(Type.Integer({ minimum: 1, maximum: 315_360_000 })),
  programs: Type.Optional(Type.Array(reference, { maxItems: 1000 })),
})
const tokenView = (d: Document<Token>) => ({
  id: d.id, version: d.version, createdAt: stamp(d.createdAt), role: d.body.role, user: d.body.user, expiresAt: d.body.expiresAt === null ? null : stamp(d.body.expiresAt), revokedAt: d.body.revokedAt === null ? null : stamp(d.body.revokedAt),
  createdBy: d.body.createdBy, ...(d.body.programs ? { programs: d.body.programs } : {}), ...(d.body.session ? { session: d.body.session } : {}),
})

const stop = closed({
  scope: Type.Optional(Type.Union((['all', 'program', 'node', 'resource'] as const).map((s) => Type.Literal(s)))), subject: Type.Optional(reference), program: Type.Optional(reference), node: Type.Optional(reference), resource: Type.Optional(reference),
  reason: Type.Optional(text),
})
type StopBody = Static<typeof stop>
const stopView = (id: string | null, s: Stop) => ({ id, version: 1, scope: s.scope, subject: s.subject, reason: s.reason, by: s.by, at: stamp(s.at), active: s.liftedAt === undefined, liftedAt: s.liftedAt === undefined ? null : stamp(s.liftedAt) })

const auditView = (r: AuditRecord) => ({ ...r })

export const controlRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'tokens', summary: 'Tokens, without their secrets', roles: administrators, query: page({}),
    read: async ({ core, caller }) => ok({ items: (await listTokens(core.database.stores, caller.tenant)).map(tokenView), next: null }) },
  { method: 'POST', path: 'tokens', summary: 'Create a token; its secret is shown this once', roles: administrators, body: token, example: { role: 'viewer', user: 'vera', expiresIn_s: 3600 },
    command: async (work, ask) => {
      const b = ask.body as Static<typeof token>, programs: string[] = []
      for (const p of b.programs ?? []) programs.push(present(await work.stores.programs.find(ask.caller.tenant, p), 'program', p).id)
      const { token: secret, document } = await createToken(work, ask.caller, {
        role: b.role as Role, ...(b.user === undefined ? {} : { user: b.user }), ...(b.expiresIn_s === undefined ? {} : { expiresIn_s: b.expiresIn_s }), ...(b.programs ? { programs } : {}),
      })
      return created('tokens', document.id, { token: secret, ...tokenView(document) })
    } },
  { method: 'DELETE', path: 'tokens/:id', summary: 'Revoke a token at once', roles: administrators, command: async (work, ask) => ok(tokenView(await revokeToken(work, ask.caller, ask.params.id!))) },

  { method: 'GET', path: 'stop', summary: 'Stops in force and lifted', roles: staffAndGrid, query: page({}),
    read: async ({ core, caller }) => ok({ items: (await core.stop.list(caller.tenant)).map((d) => stopView(d.id, d.body)), next: null }) },
  { method: 'POST', path: 'stop', summary: 'Stop everything, a program, a node or a resource; needs no second person', roles: stoppers, body: stop,
    act: async (ask) => {
      const b = (ask.body ?? {}) as StopBody
      const scope = b.scope ?? (b.node !== undefined ? 'node' : b.program !== undefined ? 'program' : b.resource !== undefined ? 'resource' : 'all')
      const subject = b.subject ?? b.node ?? b.program ?? b.resource
      const answer = await ask.core.stop.stop(ask.caller, { scope, ...(subject === undefined ? {} : { subject }), reason: b.reason ?? 'stopped by the operator' })
      return { status: 201, ...(answer.id === null ? {} : { location: `/api/v1/stop/${answer.id}` }), body: { ...stopView(answer.id, answer.stop), stored: answer.stored, devices: answer.devices } }
    } },
  { method: 'POST', path: 'stop/:id/lift', summary: 'Lift a stop', roles: ['admin', 'operator', 'dispatcher'], body: closed({ reason: Type.Optional(text) }),
    act: async (ask) => ok(stopView(ask.params.id!, await ask.core.stop.lift(ask.caller, ask.params.id!, (ask.body as { reason?: string } | undefined)?.reason ?? 'lifted by the operator'))) },

  { method: 'GET', path: 'audit', summary: 'The audit trail, oldest first or `order=newest`, of one thing, person or kind of action, made at or after `from` and before `to`; with `changes=true` each record with what it changed', roles: auditors, query: page({ entity: filter, actor: filter, action: filter, from: Type.Optional(time), to: Type.Optional(time), order: Type.Optional(Type.Union([Type.Literal('oldest'), Type.Literal('newest')])), changes: Type.Optional(Type.Boolean()) }),
    read: async (ask) => {
      const { entity, actor, action, from, to, order, changes } = ask.query, { audit } = ask.core.database.stores, { tenant } = ask.caller
      const at = (time: string, path: string): string => new Date(instantOf(time, 'utc', path) * 1000).toISOString()
      const { items, next } = await audit.list(tenant, { newest: order === 'newest', ...given({ entity, actor, action, from: from && at(from, '/from'), before: to && at(to, '/to') }) }, pageOf(ask))
      if (String(changes) !== 'true') return ok({ items: items.map(auditView), next })
      const details = await audit.details(tenant, items.map((r) => r.seq))
      return ok({ items: items.map((r) => ({ ...auditView(r), ...changeOf(r, details.get(r.seq)) })), next })
    } },
  { method: 'GET', path: 'audit/verify', summary: 'Recomputes the hash chain and names the first broken record; with a head that was written out (seq, hash) also that it is still in it (CORE-232)', roles: auditors, query: closed({ seq: Type.Optional(Type.Integer({ minimum: 1 })), hash: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })) }),
    read: async ({ core, caller, query }) => {
      let head = genesis, count = 0, broken: AuditRecord | undefined, anchor: boolean | undefined = query.seq === undefined ? undefined : false
      await core.database.stores.audit.walk(caller.tenant, (batch) => {
        for (const r of batch) {
          if (broken) return
          const { hash, ...record } = r, expected = link(head, record)
          if (expected !== hash || r.seq !== count + 1) broken = r
          else {
            head = hash
            count++
            if (r.seq === Number(query.seq)) anchor = hash === query.hash
          }
        }
      })
      return ok({ verified: broken === undefined && anchor !== false, records: count, head, ...(anchor === undefined ? {} : { anchor }), ...(broken ? { firstBroken: auditView(broken) } : {}) })
    } },
  { method: 'GET', path: 'audit/:seq', summary: 'One record and what it changed, member by member; secrets are masked, and `intact` says whether what is shown has the hash of the chain (null: shortened, or not kept)', roles: auditors,
    read: async ({ core, caller, params }) => {
      const { audit } = core.database.stores, seq = Number(params.seq)
      const record = present(Number.isSafeInteger(seq) && seq > 0 ? await audit.get(caller.tenant, seq) : undefined, 'audit record', params.seq!)
      return ok({ ...auditView(record), ...changeOf(record, (await audit.details(caller.tenant, [seq])).get(seq)) })
    } },
]
