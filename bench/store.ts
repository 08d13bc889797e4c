import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import type { Database } from '#core/port/store/index.js'
import { openDatabase } from '#prisma/database.js'
import { removeEmbedded, startEmbedded } from '#prisma/embedded.js'
import { migrate } from '#prisma/migrate.js'

/** Runs work on an embedded database of its own that is gone afterwards. */
export async function withDatabase(work: (database: Database) => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'loadstone-bench-')), server = await startEmbedded({ dataDir, log: silent })
  await migrate(server.url, silent)
  const database = await openDatabase({ url: server.url, log: silent, clock: systemClock })
  try {
    await work(database)
  } finally {
    await database.close()
    await server.stop()
    await removeEmbedded(dataDir)
    await rm(dataDir, { recursive: true, force: true })
  }
}
