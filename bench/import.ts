import { rounded, type Emit } from '#bench/figure.js'
import { withDatabase } from '#bench/store.js'
import { assemble } from '#core/assemble.js'
import { system } from '#core/caller.js'
import { buildOperator } from '#core/operator/door.js'
import { systemClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { createServicePoints } from '#core/program/manage-assets.js'
import { createToken } from '#core/token/token.js'
import { request } from 'undici'

const rows = 1_000_000, points = 1000

/** UX-060: a CSV of 1,000,000 rows through the operator's door, checked as a whole and stored as a whole. */
export default async function imports(emit: Emit): Promise<void> {
  await withDatabase(async (database) => {
    const core = assemble({ database, clock: systemClock, ids: randomIds(() => systemClock.nowMs()), log: silent }), me = system('bench')
    const app = await buildOperator({ core, log: silent, version: '0', bodyLimit: 512 * 2 ** 20 })
    const { token } = await core.transact((w) => createToken(w, me, { role: 'admin' }))
    await core.transact((w) => createServicePoints(w, me, Array.from({ length: points }, (_, i) => ({ name: `p${i}`, timeZone: null, gridPath: [], importLimit_W: null, exportLimit_W: null, account: null }))))
    const url = await app.listen({ port: 0, host: '127.0.0.1' }), body = csv(), begun = performance.now()
    const answer = await request(`${url}/api/v1/readings`, { method: 'POST', headers: { 'authorization': `Bearer ${token}`, 'content-type': 'text/csv' }, body, headersTimeout: 300_000, bodyTimeout: 300_000 })
    const said = await answer.body.json() as { accepted?: number }, value = (performance.now() - begun) / 1000
    await app.close()
    if (said.accepted !== rows) throw new Error(`${answer.statusCode}: ${JSON.stringify(said).slice(0, 300)}`)
    emit({ name: 'import csv', value: rounded(value), unit: 's', n: rows })
  })
}

function csv(): string {
  const from = Date.UTC(2026, 0, 1), starts = Array.from({ length: rows / points }, (_, i) => new Date(from + i * 900_000).toISOString()), out = ['servicePoint,start,minutes,Wh,channel']
  for (let p = 0; p < points; p++) for (let i = 0; i < starts.length; i++) out.push(`p${p},${starts[i]},15,${(p * 7 + i * 13) % 4000},import`)
  return `${out.join('\n')}\n`
}
