import { groupCommit } from '#core/group-commit.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore, NewDocument } from '#core/port/store/document.js'

/** A message that is only kept: many of them share one document, found by `from` (a target) and by time. */
export interface Note {
  readonly tenant: string
  readonly kind: string
  readonly from: string
  /** Epoch seconds, our clock. */
  readonly at: number
  readonly body: unknown
}

/** What such a document holds. */
export interface Notes<B = unknown> {
  readonly notes: readonly { readonly from: string; readonly at: number; readonly body: B }[]
}

interface Write {
  readonly documents: readonly NewDocument[]
  readonly note: Note | undefined
}

/** One write of documents that shall stand or fall together. Resolves once committed. */
export interface Journal {
  write(documents: readonly NewDocument[]): Promise<void>
  /** Keeps a message, and with it documents that belong to it: all or nothing. Resolves once committed. */
  keep(note: Note, documents: readonly NewDocument[]): Promise<void>
  /** Resolves when all that was written is committed. */
  settled(): Promise<void>
}

const lanes = 3
/** So many messages share a document: few enough to be read whole. */
const together = 64

interface JournalNeeds {
  readonly documents: Pick<DocumentStore, 'insertMany'>
  readonly nowMs: () => number
  readonly ids: Pick<Ids, 'uuid'>
  readonly log: Log
}

/** Meter values and events of transactions come thousands a second and are read seldom: a row for each would be most of the database's work. */
function bundles(batch: readonly Write[], ids: Pick<Ids, 'uuid'>): NewDocument[] {
  const open = new Map<string, Note[]>(), all: Note[][] = []
  for (const { note } of batch) {
    if (!note) continue
    const key = `${note.tenant}\n${note.kind}`
    let notes = open.get(key)
    if (!notes || notes.length >= together) {
      notes = []
      open.set(key, notes)
      all.push(notes)
    }
    notes.push(note)
  }
  return all.map((notes) => {
    const [{ tenant, kind }] = notes as [Note]
    return {
      tenant, kind, id: ids.uuid(), parent: '', targets: [...new Set(notes.map((n) => n.from))], sort1: Math.min(...notes.map((n) => n.at)), sort2: Math.max(...notes.map((n) => n.at)),
      body: { notes: notes.map(({ from, at, body }) => ({ from, at, body })) } satisfies Notes,
    }
  })
}

/**
 * Group commit: what many stations write in the same moments goes to the database as one statement, and each waits for its
 * commit before it is acknowledged. Later states of the same document in one batch win; the statement takes a row once.
 */
export function journal(needs: JournalNeeds): Journal {
  // A few lanes keep the database busy while we serialize; a station stays in its lane, so its documents keep their order.
  const all = Array.from({ length: lanes }, () => lane(needs))
  return {
    write(documents) {
      const first = documents[0]
      return first ? (all[laneOf((first.parent || first.id).split('/', 1)[0] as string)] as Journal).write(documents) : Promise.resolve()
    },
    keep: (note, documents) => (all[laneOf(note.from.split('/', 1)[0] as string)] as Journal).keep(note, documents),
    settled: async () => { await Promise.all(all.map((one) => one.settled())) },
  }
}

function laneOf(station: string): number {
  let h = 0
  for (let i = 0; i < station.length; i += 1) h = Math.imul(h, 31) + station.charCodeAt(i) | 0
  return Math.abs(h) % lanes
}

function lane({ documents, nowMs, ids, log }: JournalNeeds): Journal {
  const commits = groupCommit<Write>(async (batch) => {
    const rows = new Map<string, NewDocument>()
    for (const { documents } of batch) for (const d of documents) rows.set(`${d.tenant}\n${d.kind}\n${d.id}`, d)
    await documents.insertMany([...rows.values(), ...bundles(batch, ids)], nowMs(), { onConflict: 'replace', quiet: true })
  }, { fellApart: (error, writes) => log.warn({ err: error, writes }, 'a batch failed; writing one by one') })
  return {
    write: (documents) => commits.add({ documents, note: undefined }),
    keep: (note, documents) => commits.add({ documents, note }),
    settled: () => commits.settled(),
  }
}

/** What was kept of one sender, oldest first. */
export async function notesOf<B>(documents: Pick<DocumentStore, 'list'>, tenant: string, kind: string, from: string): Promise<Notes<B>['notes'][number][]> {
  const rows = await documents.list<Notes<B>>(tenant, { kind, withTargets: [from], order: ['sort1'] })
  return rows.flatMap(({ body }) => body.notes.filter((note) => note.from === from)).sort((a, b) => a.at - b.at)
}
