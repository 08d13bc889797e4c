import { genesis, verifyChain } from '#core/audit/chain.js'
import type { AuditRecord } from '#core/port/store/audit.js'
import { systemClock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import { Client } from 'pg'
import { openDatabase } from '#prisma/database.js'
import { toRefusal } from '#prisma/error-map.js'

export interface AuditVerdict {
  readonly tenants: number
  readonly records: number
  readonly faults: readonly { readonly where: string; readonly detail: string }[]
}

/** CORE-230, SEC-063: walks every tenant's chain and names the first broken record; records cut off at the end show against the chain's head. */
export async function verifyAudit(url: string, log: Log): Promise<AuditVerdict> {
  const heads = await readHeads(url)
  const database = await openDatabase({ url, log, clock: systemClock, poolSize: 1 })
  const faults: { where: string; detail: string }[] = []
  let records = 0
  try {
    for (const { tenant, seq, hash: last } of heads) {
      let hash = genesis, count = 0, broken: string | undefined
      await database.stores.audit.walk(tenant, (batch) => {
        if (broken !== undefined) return
        const verdict = verifyChain(batch.map(asEntry), hash)
        if (verdict.ok) hash = verdict.head
        else broken = `record ${String(verdict.record['seq'])} is not what was written`
        const gap = batch.find((record, i) => record.seq !== count + i + 1)
        if (broken === undefined && gap) broken = `records before ${gap.seq} are missing`
        count += batch.length
      })
      if (broken === undefined && (count !== Number(seq) || hash !== last)) broken = `the chain ends at ${count}, its head says ${seq}`
      if (broken !== undefined) faults.push({ where: `audit of ${tenant}`, detail: broken })
      records += count
    }
    return { tenants: heads.length, records, faults }
  } finally {
    await database.close()
  }
}

const asEntry = ({ hash, ...record }: AuditRecord): { record: Omit<AuditRecord, 'hash'>; hash: string } => ({ record, hash })

async function readHeads(url: string): Promise<{ tenant: string; seq: string; hash: string }[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => {})
  try {
    await client.connect()
    // Tenants whose head was removed are found by their records.
    return (await client.query(`select tenant, coalesce(c.seq, 0) as seq, coalesce(c.hash, '') as hash
      from (select tenant from audit_chain union select distinct tenant from audit) t left join audit_chain c using (tenant) order by tenant`)).rows
  } catch (error) {
    throw toRefusal(error)
  } finally { await client.end().catch(() => {}) }
}
