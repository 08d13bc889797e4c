import type { Session } from '#prisma/session.js'

interface Names {
  readonly table: string
  readonly column: string
}

const points: Names = { table: 'reading_point', column: 'service_point' }
const sources: Names = { table: 'reading_source', column: 'source' }

/** Names and their numbers in memory, both ways. Only committed numbers get in: a rolled-back one is nobody's. */
class Register {
  readonly numbers = new Map<string, number>()
  readonly names = new Map<number, string>()
  keep(name: string, number: number): void {
    this.numbers.set(name, number)
    this.names.set(number, name)
  }
}

export interface NumberBook {
  tenant(session: Session, tenant: string): Promise<number | undefined>
  tenantOrNew(session: Session, tenant: string): Promise<number>
  /** Numbers of the points that are known. */
  points(session: Session, tenant: number, names: Iterable<string>): Promise<Map<string, number>>
  pointsOrNew(session: Session, tenant: number, names: Iterable<string>): Promise<Map<string, number>>
  sourcesOrNew(session: Session, tenant: number, names: Iterable<string>): Promise<Map<string, number>>
  pointName(session: Session, tenant: number, number: number): Promise<string>
  sourceName(session: Session, tenant: number, number: number): Promise<string>
}

/** `own` marks a row made by the transaction that asks. */
const own = 'coalesce(xmin::text::bigint = (pg_current_xact_id_if_assigned()::text::bigint & 4294967295), false) as own'

export function numberBook(): NumberBook {
  const tenants = new Register()
  const registers = new Map<string, Register>()
  const register = ({ table }: Names, tenant: number): Register => {
    const key = `${table} ${tenant}`
    let found = registers.get(key)
    if (!found) registers.set(key, (found = new Register()))
    return found
  }

  async function tenant(session: Session, name: string): Promise<number | undefined> {
    const known = tenants.numbers.get(name)
    if (known !== undefined) return known
    const [row] = await session.sql.rows<{ number: number; own: boolean }>(`select number, ${own} from reading_tenant where tenant = $1`, [name])
    if (row && !row.own) tenants.keep(name, row.number)
    return row?.number
  }

  async function find(session: Session, what: Names, of: number, names: Iterable<string>): Promise<{ found: Map<string, number>; missing: string[] }> {
    const book = register(what, of), found = new Map<string, number>(), missing: string[] = []
    for (const name of new Set(names)) {
      const number = book.numbers.get(name)
      if (number === undefined) missing.push(name)
      else found.set(name, number)
    }
    if (missing.length === 0) return { found, missing }
    const rows = await session.sql.rows<{ name: string; number: number; own: boolean }>(
      `select ${what.column} as name, number, ${own} from ${what.table} where tenant = $1 and ${what.column} = any($2)`, [of, missing])
    for (const { name, number, own: mine } of rows) {
      found.set(name, number)
      if (!mine) book.keep(name, number)
    }
    return { found, missing: missing.filter((name) => !found.has(name)) }
  }

  async function findOrMake(session: Session, what: Names, of: number, names: Iterable<string>): Promise<Map<string, number>> {
    const asked = [...names]
    const { found, missing } = await find(session, what, of, asked)
    if (missing.length === 0) return found
    await session.sql.count(`insert into ${what.table} (tenant, ${what.column}) select $1, * from unnest($2::text[]) on conflict do nothing`, [of, missing.sort()])
    return (await find(session, what, of, asked)).found
  }

  async function nameOf(session: Session, what: Names, of: number, number: number): Promise<string> {
    const known = register(what, of).names.get(number)
    if (known !== undefined) return known
    const rows = await session.sql.rows<{ name: string; number: number; own: boolean }>(`select ${what.column} as name, number, ${own} from ${what.table} where tenant = $1`, [of])
    for (const row of rows) if (!row.own) register(what, of).keep(row.name, row.number)
    return rows.find((row) => row.number === number)?.name ?? ''
  }

  return {
    tenant,
    async tenantOrNew(session, name) {
      const known = await tenant(session, name)
      if (known !== undefined) return known
      await session.sql.count('insert into reading_tenant (tenant) values ($1) on conflict do nothing', [name])
      return (await tenant(session, name))!
    },
    points: async (session, of, names) => (await find(session, points, of, names)).found,
    pointsOrNew: (session, of, names) => findOrMake(session, points, of, names),
    sourcesOrNew: (session, of, names) => findOrMake(session, sources, of, names),
    pointName: (session, of, number) => nameOf(session, points, of, number),
    sourceName: (session, of, number) => nameOf(session, sources, of, number),
  }
}
