/** Something that must be done at a time: an outbox row (due now) or a dispatch moment (due later). */
export interface AgendaEntry {
  readonly id: string
  readonly tenant: string
  /** What to do: 'deliver', 'cancel', 'start', 'end', 'verify', 'webhook' … */
  readonly task: string
  /** What it is about; entries of one subject are handed out in order of id. */
  readonly subject: string
  readonly dueAt: number
  readonly attempts: number
  readonly payload: unknown
}

/**
 * Transactional outbox and timetable in one (CORE-015, REL-002, CORE-207). `add` inside a unit of work commits with it.
 * `claim` leases due entries (`FOR UPDATE SKIP LOCKED`) until `leaseUntil`; a crash lets the lease run out and another claims again.
 */
export interface Agenda {
  add(entries: readonly Omit<AgendaEntry, 'attempts'>[]): Promise<void>
  claim(nowMs: number, leaseUntil: number, tasks: readonly string[], limit: number): Promise<AgendaEntry[]>
  done(ids: readonly string[]): Promise<void>
  /** Gives the entry back to be claimed from `dueAt` on; `error` is kept. */
  retry(id: string, dueAt: number, error: string): Promise<void>
  /** Takes back entries that are not claimed yet, e.g. the end of a cancelled dispatch. */
  withdraw(tenant: string, task: string, subject: string): Promise<void>
  /** Epoch ms of the earliest entry that may be claimed (lease ends count), undefined when there is none. */
  nextDue(tasks: readonly string[]): Promise<number | undefined>
  /** Calls back soon after entries were added by any process (NOTIFY); returns a way to stop. */
  onAdded(listener: () => void): () => void
}
