import 'aedes'
import 'fastify'
import 'luxon'
import 'ws'
import { Client } from 'pg'
import { silent } from '#core/port/log.js'
import { startEmbedded } from '#prisma/embedded.js'

/** What no server of this kind starts faster than: its packages loaded, its PostgreSQL started, one question asked. Argument: data folder. */
const server = await startEmbedded({ dataDir: process.argv[2]!, log: silent })
const client = new Client({ connectionString: server.url })
await client.connect()
await client.query('select 1')
process.stdout.write('"ready":true\n')
await client.end()
await server.stop()
