import type { Agenda, AgendaEntry } from '#core/port/store/agenda.js'
import type { Changes } from '#prisma/changes.js'
import { requireTenant, type Session } from '#prisma/session.js'

/** Workers of all processes pick one after the other, so that two never hold entries of one subject at once. */
const claimLock = 72707371

interface Row {
  id: string
  tenant: string
  task: string
  subject: string
  due_at: number
  attempts: number
  payload: unknown
}

const fromRow = ({ due_at, ...row }: Row): AgendaEntry => ({ ...row, dueAt: due_at })

export function agendaStore(session: Session, changes: Changes): Agenda {
  const { sql } = session
  return {
    async add(entries) {
      if (entries.length === 0) return
      for (const { tenant } of entries) requireTenant(tenant)
      await sql.count('insert into agenda (id, tenant, task, subject, due_at, payload) select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::json[])',
        [entries.map((e) => e.id), entries.map((e) => e.tenant), entries.map((e) => e.task), entries.map((e) => e.subject), entries.map((e) => e.dueAt), entries.map((e) => JSON.stringify(e.payload ?? null))])
    },
    // Interpretation: an entry waits while an earlier one of its subject is leased to somebody; one that waits for its retry does not
    // hold back the later ones, or a device that fails would hold back the cancel of its order.
    claim: (nowMs, leaseUntil, tasks, limit) => session.atomically(async ({ sql }) => {
      await sql.rows('select pg_advisory_xact_lock($1)', [claimLock])
      const rows = await sql.rows<Row>(
        `update agenda set lease_until = $2, attempts = attempts + 1 where id in (
           select id from agenda a where task = any($3) and due_at <= $1 and lease_until <= $1 and not exists (
             select from agenda b where b.tenant = a.tenant and b.subject = a.subject and b.id < a.id and b.lease_until > $1 and b.task = any($3))
           order by due_at, id limit $4 for update skip locked)
         returning id, tenant, task, subject, due_at, attempts, payload`, [nowMs, leaseUntil, tasks, limit])
      return inOrder(rows.map(fromRow))
    }),
    async done(ids) {
      if (ids.length > 0) await sql.count('delete from agenda where id = any($1)', [ids])
    },
    async retry(id, dueAt, error) {
      await sql.count('update agenda set lease_until = 0, due_at = $2, error = $3 where id = $1', [id, dueAt, error])
    },
    async withdraw(tenant, task, subject) {
      requireTenant(tenant)
      // "Not claimed yet" by the lease column alone: a lease that has run out still belongs to whoever may be at work.
      await sql.count('delete from agenda where tenant = $1 and task = $2 and subject = $3 and lease_until = 0', [tenant, task, subject])
    },
    async nextDue(tasks) {
      const [row] = await sql.rows<{ at: number | null }>('select min(greatest(due_at, lease_until)) as at from agenda where task = any($1)', [tasks])
      return row?.at ?? undefined
    },
    onAdded: (listener) => changes.onAgenda(listener),
  }
}

/** By time due, and entries of one subject among themselves by id. */
function inOrder(entries: AgendaEntry[]): AgendaEntry[] {
  const bySubject = grouped(entries.toSorted((a, b) => (a.id < b.id ? -1 : 1)), (e) => `${e.tenant} ${e.subject}`)
  const slots = entries.toSorted((a, b) => a.dueAt - b.dueAt || (a.id < b.id ? -1 : 1))
  return slots.map((slot) => bySubject.get(`${slot.tenant} ${slot.subject}`)!.shift()!)
}

function grouped(entries: readonly AgendaEntry[], key: (entry: AgendaEntry) => string): Map<string, AgendaEntry[]> {
  const groups = new Map<string, AgendaEntry[]>()
  for (const entry of entries) groups.set(key(entry), [...(groups.get(key(entry)) ?? []), entry])
  return groups
}
