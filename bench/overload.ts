import { setTimeout as pause } from 'node:timers/promises'
// @ts-expect-error autocannon has no types of its own
import autocannon from 'autocannon'
import { Agent, request } from 'undici'
import { rounded, type Emit } from '#bench/figure.js'
import { withDatabase } from '#bench/store.js'
import { assemble } from '#core/assemble.js'
import { system } from '#core/caller.js'
import { buildOperator } from '#core/operator/door.js'
import { usualLimits } from '#core/operator/shed.js'
import { systemClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { createProgram } from '#core/program/manage-program.js'
import { createToken } from '#core/token/token.js'

const seconds = 6, tenants = 9, perSecond = 5

const at = (sorted: readonly number[], q: number): number => sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? NaN

/**
 * REL-070: twice the load that the operator's door can serve, lists from many tenants, and orders beside it. REL-071: nine quiet tenants, and the same
 * beside one that floods. The load comes from threads of its own; server and load share the machine, so ratios say more than milliseconds.
 */
export default async function overload(emit: Emit): Promise<void> {
  await withDatabase(async (database) => {
    const core = assemble({ database, clock: systemClock, ids: randomIds(() => systemClock.nowMs()), log: silent }), app = await buildOperator({ core, log: silent, version: '0', limits: usualLimits })
    const names = ['orders', 'noisy', ...Array.from({ length: tenants }, (_, i) => `quiet-${i}`)], tokens = new Map<string, string>(), agent = new Agent({ connections: 64 })
    for (const name of names) {
      const me = system(name)
      tokens.set(name, (await core.transact((w) => createToken(w, me, { role: 'admin' }))).token)
      await core.transact((w) => createProgram(w, me, {
        name: 'peak', timeZone: 'UTC', direction: 'down', intervalMinutes: 15, baseline: { method: 'CAISO_10IN10', level: 'portfolio' }, netting: 'import', currency: 'USD', energyPrice: '0.5', capacityPrice: null,
        customerShare: '0.7', floorLevel: 'none', paidRatioCap: '1', mode: 'merit', limits: {}, holidays: [], rules: {}, state: 'open',
      }))
    }
    const url = await app.listen({ port: 0, host: '127.0.0.1' }), head = (name: string) => ({ authorization: `Bearer ${tokens.get(name)}` })
    const ask = async (name: string, method: 'GET' | 'POST', path: string, body?: object): Promise<{ ms: number; status: number }> => {
      const begun = performance.now(), answer = await request(`${url}/api/v1/${path}`, { dispatcher: agent, method, headers: { ...head(name), ...(body ? { 'content-type': 'application/json' } : {}) }, ...(body ? { body: JSON.stringify(body) } : {}) })
      await answer.body.dump()
      return { ms: performance.now() - begun, status: answer.statusCode }
    }
    const flood = async (who: readonly string[], connections: number): Promise<number> => {
      const r = await autocannon({ url, connections, duration: seconds, workers: 1, requests: who.map((name) => ({ method: 'GET' as const, path: '/api/v1/programs', headers: head(name) })) })
      return r['2xx'] / r.duration
    }
    try {
      const quiet = names.slice(2), order = { program: 'peak', power_kW: 1, start: new Date(Math.ceil(Date.now() / 900_000) * 900_000 + 3_600_000).toISOString(), duration: 'PT1H', dryRun: true }
      const sustainable = await flood(quiet, 8)
      const orders: number[] = [], refused: number[] = []
      let going = true
      const ordering = (async () => {
        while (going) {
          const { ms, status } = await ask('orders', 'POST', 'dispatches', order)
          orders.push(ms)
          if (status === 503 || status === 429) refused.push(status)
          await pause(50)
        }
      })()
      const good = await flood(quiet, 128)
      going = false
      await ordering
      orders.sort((a, b) => a - b)
      emit({ name: 'overload goodput of lists', value: rounded(good), unit: '1/s', n: Math.round(good * seconds), baseline: rounded(sustainable), ratio: rounded(good / sustainable) })
      emit({ name: 'overload dispatch p99', value: rounded(at(orders, 0.99)), unit: 'ms', n: orders.length })
      emit({ name: 'overload orders turned away', value: refused.length, unit: '', n: orders.length })
      const calm = async (): Promise<{ sorted: number[]; refused: number }> => {
        const all = (await Promise.all(quiet.map(async (name, i) => {
          const mine: { ms: number; status: number }[] = []
          await pause(i * 1000 / perSecond / tenants)
          for (let n = 0; n < seconds * perSecond; n++) {
            const [one] = await Promise.all([ask(name, 'GET', 'programs/peak'), pause(1000 / perSecond)])
            mine.push(one)
          }
          return mine
        }))).flat()
        return { sorted: all.map((a) => a.ms).sort((a, b) => a - b), refused: all.filter((a) => a.status >= 400).length }
      }
      const alone = await calm(), [beside] = await Promise.all([calm(), flood(['noisy'], 64)])
      emit({ name: 'quiet tenants p99 beside a noisy one', value: rounded(at(beside.sorted, 0.99)), unit: 'ms', n: beside.sorted.length, baseline: rounded(at(alone.sorted, 0.99)), ratio: rounded(at(beside.sorted, 0.99) / at(alone.sorted, 0.99)) })
      emit({ name: 'quiet tenants turned away', value: beside.refused, unit: '', n: beside.sorted.length })
    } finally {
      await agent.close()
      await app.close()
      await core.timetable.stop()
    }
  })
}
