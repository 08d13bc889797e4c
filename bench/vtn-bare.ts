import Fastify from 'fastify'
import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'pg'

/** The same work without us: fastify over the driver, one statement a request, no tokens, no privacy, no check, no cache, no notices. */
export interface Bare {
  readonly url: string
  readonly server: Server
  close(): Promise<void>
}

const fields = 'id, parent, key, targets, owner, sort1, sort2, version, created_at, modified_at, body'

/** `body` is what the cached list answers, `parent` the program, `event` what a POST stores. */
export async function bareServer(databaseUrl: string, tenant: string, body: string, parent: string): Promise<Bare> {
  const pool = new Pool({ connectionString: databaseUrl, max: 10 })
  const bodies = (rows: readonly { body: unknown }[]): string => JSON.stringify(rows.map((r) => r.body))
  const app = Fastify()
  app.get('/events', (_request, reply) => reply.header('content-type', 'application/json').send(body))
  app.get('/nothing', (_request, reply) => reply.code(304).send())
  app.get('/list', async (_request, reply) => {
    const { rows } = await pool.query(`select ${fields} from document where tenant = $1 and kind = $2 and parent = $3 order by created_at, id collate "C" limit 50`, [tenant, 'vtn/event', parent])
    return reply.header('content-type', 'application/json').send(bodies(rows))
  })
  app.get<{ Params: { group: string } }>('/targeted/:group', async (request, reply) => {
    const { rows } = await pool.query(`select ${fields} from document where tenant = $1 and kind = $2 and targets && $3::text[] and sort1 >= $4 order by created_at, id collate "C" limit 50`, [tenant, 'vtn/event', ['', request.params.group], 1e9])
    return reply.header('content-type', 'application/json').send(bodies(rows))
  })
  app.post('/events', async (request, reply) => {
    const client = await pool.connect()
    try {
      await client.query('begin')
      const { rows } = await client.query(`insert into document (tenant, kind, id, parent, targets, sort1, sort2, version, created_at, modified_at, body) values ($1, 'bench/event', $2, $3, $4, 2000000000, 0, 1, 1, 1, $5::json) returning ${fields}`, [tenant, randomUUID(), parent, ['group-1'], JSON.stringify(request.body)])
      await client.query('commit')
      return await reply.code(201).send((rows[0] as { body: unknown }).body)
    } finally { client.release() }
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    server: app.server, url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    async close() { await app.close(); await pool.end() },
  }
}
