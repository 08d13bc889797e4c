import type { Database } from '#core/port/store/index.js'
import { startEmbedded } from '#prisma/embedded.js'
import { openDatabase } from '#prisma/database.js'
import { migrate } from '#prisma/migrate.js'
import type { BuildOptions, Closing } from '#main/shape.js'
import { patiently } from '#main/waiting-door.js'

/** The database: the configured one, else the one that npm carries, in the data folder; migrated under a lock (REL-005). */
export async function openStorage(options: BuildOptions, closing: Closing): Promise<Database> {
  const { settings, data, clock, log } = options
  let url = settings.databaseUrl
  if (!url) {
    const embedded = await startEmbedded({ dataDir: data.path, log })
    // whoever leaves last switches it off: a process that joined it may still need it, and one whose starter was killed inherits it
    const atExit = (): void => { if (!data.shared?.()) embedded.end() }
    // a process that ends in any other way than by its closing leaves no database behind either; kill -9 does, and the next start takes it over
    process.once('exit', atExit)
    closing.add('embedded PostgreSQL', async () => {
      process.off('exit', atExit)
      if (!data.shared?.()) await embedded.stop({ joined: true })
    })
    url = embedded.url
  }
  const database = await patiently(options, async () => {
    await migrate(url, log)
    return await openDatabase({ url, log, clock, poolSize: 16 })
  })
  closing.add('database', () => database.close())
  return database
}
