import type { Database } from '#core/port/store/index.js'
import { startEmbedded } from '#prisma/embedded.js'
import { openDatabase } from '#prisma/database.js'
import { migrate } from '#prisma/migrate.js'
import type { BuildOptions, Closing } from '#main/shape.js'

/** The database: the configured one, else the one that npm carries, in the data folder; migrated under a lock (REL-005). */
export async function openStorage({ settings, data, clock, log }: BuildOptions, closing: Closing): Promise<Database> {
  let url = settings.databaseUrl
  if (!url) {
    const embedded = await startEmbedded({ dataDir: data.path, log })
    closing.add('embedded PostgreSQL', () => embedded.stop())
    url = embedded.url
  }
  await migrate(url, log)
  const database = await openDatabase({ url, log, clock, poolSize: 16 })
  closing.add('database', () => database.close())
  return database
}
