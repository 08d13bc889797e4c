import { Client } from 'pg'
import { systemClock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import { csmsConfig } from '#csms/config.js'
import { plainServer } from '#csms/listen.js'
import { buildCsms, type Csms } from '#csms/server.js'
import { postgresBus } from '#prisma/bus.js'
import { openDatabase } from '#prisma/database.js'

/** A server of the OCPP room that shares its stations with others over the same data. */
export async function neighbour(url: string): Promise<{ csms: Csms; port(): Promise<number>; close(): Promise<void> }> {
  const database = await openDatabase({ url, log: silent, clock: systemClock, poolSize: 4 }), bus = postgresBus({ connectionString: url }, silent)
  const csms = buildCsms({
    documents: database.stores.documents, bus, clock: systemClock, ids: randomIds(() => systemClock.nowMs()), log: silent,
    config: csmsConfig({}, { tenant: 'test', secret: Buffer.alloc(32, 1), postBootReport: false, drainMs: 0 }),
    readings: { record: async (_caller, rows) => ({ accepted: rows.length, duplicates: 0, corrected: 0 }) },
    happenings: { happened: async () => {} }, availability: { declare: async () => {} }, directory: { byRemote: async () => undefined },
  })
  const server = plainServer()
  csms.attach(server)
  return {
    csms,
    port: () => new Promise((ready) => server.listen(0, '127.0.0.1', () => ready((server.address() as { port: number }).port))),
    async close() {
      await csms.close()
      server.closeAllConnections()
      server.close()
      await bus.close()
      await database.close()
    },
  }
}

export const there = 'bench_there', back = 'bench_back'

/** The other process: `url`. Has the station, times its own commands to it when asked, and repeats a bare word. */
async function run(url: string): Promise<void> {
  const own = await neighbour(url), bare = new Client({ connectionString: url })
  await bare.connect()
  bare.on('notification', ({ payload }) => void bare.query('select pg_notify($1, $2)', [back, payload]))
  await bare.query(`listen ${there}`)
  process.on('message', async (n: number) => {
    const times: number[] = []
    for (let i = 0; i < n; i += 1) {
      const at = performance.now()
      await own.csms.command('FAR', 'ClearCache', {})
      times.push(performance.now() - at)
    }
    process.send?.(times)
  })
  process.send?.(await own.port())
}

if (process.argv[1] === new URL(import.meta.url).pathname) void run(process.argv[2] as string)
