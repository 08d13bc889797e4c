import { appendFile, readFile } from 'node:fs/promises'
import type { BlockJournal } from '#certs/registry.js'

type Entry = Parameters<BlockJournal['append']>[0]

/** A file of JSON lines beside the database, not in it (REL-091). A line that a crash cut short is passed over. */
export const journalFile = (file: string): BlockJournal => ({
  async read() {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => { if (error.code === 'ENOENT') return ''; throw error })
    return text.split('\n').filter(Boolean).flatMap((line): Entry[] => { try { return [JSON.parse(line) as Entry] } catch { return [] } })
  },
  append: (entry) => appendFile(file, `${JSON.stringify(entry)}\n`, { mode: 0o600, flush: true } as object),
})
