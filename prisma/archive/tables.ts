import type { ClientBase } from 'pg'

export interface TableShape {
  readonly table: string
  readonly columns: readonly string[]
}

/** Every table of ours, each after those that it refers to, so that rows can be restored in this order. */
export async function tablesInOrder(client: ClientBase): Promise<TableShape[]> {
  const { rows } = await client.query<{ table: string; columns: string[]; needs: string[] }>(`
    select c.relname as table,
      (select array_agg(a.attname::text order by a.attnum) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
      coalesce((select array_agg(distinct f.confrelid::regclass::text) from pg_constraint f where f.conrelid = c.oid and f.contype = 'f' and f.confrelid <> c.oid), '{}') as needs
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind = 'r' and c.relname <> '_prisma_migrations' order by 1`)
  const out: TableShape[] = [], done = new Set<string>()
  while (out.length < rows.length) {
    const next = rows.find((r) => !done.has(r.table) && r.needs.every((n) => done.has(n.replaceAll('"', ''))))
    if (!next) throw new Error('the tables refer to each other in a circle')
    done.add(next.table)
    out.push({ table: next.table, columns: next.columns })
  }
  return out
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
