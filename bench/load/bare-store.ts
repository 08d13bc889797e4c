import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'pg'
import { WebSocketServer, type WebSocket } from 'ws'
import { testDatabase } from '#prisma/test-database.js'

/** Rows that many messages share, and how many flushes are under way at once, as `csms/journal.ts` has it. */
const together = 64, most = 500, lanes = 3

interface Said { readonly ws: WebSocket; readonly id: string; readonly station: string; readonly text: string }

/**
 * The least that stores what stations say and acknowledges it after the commit: JSON.parse, one `insert … select unnest` per batch into the
 * same table with the same rows, an answer. No validation, no state, no order: what the whole server is held against on a machine of any speed.
 */
export async function bareStore(mix: 'events' | 'meters', run: (port: number) => Promise<void>): Promise<void> {
  const database = await testDatabase(), pool = new Pool({ connectionString: database.url, max: lanes })
  const server = createServer(), wss = new WebSocketServer({ server })
  let queue: Said[] = [], flushing = 0, soon = false, bundles = 0

  async function flush(batch: readonly Said[]): Promise<void> {
    const ids: string[] = [], kinds: string[] = [], parents: string[] = [], targets: string[] = [], bodies: string[] = []
    for (let i = 0; i < batch.length; i += together) {
      const some = batch.slice(i, i + together)
      ids.push(`bundle${bundles += 1}`)
      kinds.push('Note')
      parents.push('')
      targets.push(`{${some.map((s) => s.station).join(',')}}`)
      bodies.push(`[${some.map((s) => s.text).join(',')}]`)
    }
    if (mix === 'events') {
      for (const { station, text } of new Map(batch.map((s) => [s.station, s])).values()) {
        ids.push(station)
        kinds.push('State')
        parents.push(station)
        targets.push('{}')
        bodies.push(text)
      }
    }
    await pool.query(
      `insert into document (tenant, kind, id, parent, targets, sort1, sort2, version, created_at, modified_at, body)
       select 'bare', kind, id, parent, targets::text[], 0, 0, 1, 0, 0, body::json from unnest($1::text[], $2::text[], $3::text[], $4::text[], string_to_array($5, E'\\n')) as r (kind, id, parent, targets, body)
       on conflict (tenant, kind, id) do update set body = excluded.body, version = document.version + 1`,
      [kinds, ids, parents, targets, bodies.join('\n')])
    for (const { ws, id } of batch) ws.send(JSON.stringify([3, id, {}]))
  }

  function drain(): void {
    soon = false
    while (queue.length > 0 && flushing < lanes) {
      const batch = queue.slice(0, most)
      queue = queue.slice(most)
      flushing += 1
      // An end in the middle of the run is the run's end.
      void flush(batch).catch(() => {}).finally(() => { flushing -= 1; drain() })
    }
  }

  wss.on('connection', (ws, request) => {
    const station = (request.url ?? '').split('/').at(-1) as string
    ws.on('message', (data: Buffer) => {
      const text = data.toString(), [, id, action] = JSON.parse(text) as [number, string, string]
      if (action === 'BootNotification') return ws.send(JSON.stringify([3, id, {}]))
      queue.push({ ws, id, station, text })
      if (soon) return
      soon = true
      setImmediate(drain)
    })
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  try {
    await run((server.address() as AddressInfo).port)
  } finally {
    for (const ws of wss.clients) ws.terminate()
    await new Promise((done) => { server.closeAllConnections(); server.close(done) })
    await pool.end()
    await database.close()
  }
}
