import { note, type Note } from '#core/audit/note.js'
import { system } from '#core/caller.js'
import { judge, longest_s, type Link, type LinkState } from '#core/kpi/service-level.js'
import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { Stores } from '#core/port/store/index.js'
import type { Transact } from '#core/work.js'

export const alertKind = 'core/ServiceLevelAlert'

/** One burn-rate alert from its raising to its end. */
export interface LevelAlert {
  readonly link: Link
  readonly severity: 'page' | 'ticket'
  readonly burnRate: number
  readonly raisedAt: string
  readonly endedAt: string | null
}

const every_ms = 300_000

/** Raises what is due and was not, ends what no longer burns; each is audited, and so told to webhooks (CORE-197, CORE-231). */
export async function watchOnce(transact: Transact, stores: Stores, clock: Clock, tenant: string): Promise<void> {
  type Due = LinkState['alerts'][number] & { readonly link: Link }
  const now = clock.now(), links = judge(await stores.tallies.served(tenant, now - longest_s, now), now)
  const due = new Map<string, Due>(links.flatMap((l) => l.alerts.map((a) => [`${l.link}/${a.severity}`, { ...a, link: l.link }] as const)))
  await transact(async (work) => {
    const open = await work.stores.documents.list<LevelAlert>(tenant, { kind: alertKind, parent: 'open', limit: 100 }), known = new Set(open.map((d) => d.key)), notes: Note[] = [], at = new Date(clock.nowMs()).toISOString()
    for (const [key, { link, severity, burnRate }] of due) {
      if (known.has(key)) continue
      const body: LevelAlert = { link, severity, burnRate, raisedAt: at, endedAt: null }
      await work.stores.documents.insert<LevelAlert>({ tenant, kind: alertKind, id: work.ids.uuid(), parent: 'open', key, body }, clock.nowMs())
      notes.push({ action: 'serviceLevel.alert', entity: key, reason: `burns its error budget ${burnRate.toFixed(1)} times too fast`, after: body })
    }
    for (const d of open) {
      if (due.has(d.key!)) continue
      await work.stores.documents.replace<LevelAlert>({ ...d, parent: 'ended', key: null, body: { ...d.body, endedAt: at } }, clock.nowMs(), d.version)
      notes.push({ action: 'serviceLevel.alert-end', entity: d.key!, before: d.body })
    }
    await note(work, system(tenant), notes)
  })
}

/** Every five minutes of the machine until stopped, also in a time lapse: what it costs is the machine's. A look that fails is said aloud; the next one comes all the same. */
export function watchServiceLevels(needs: { transact: Transact; stores: Stores; clock: Clock; log: Log; tenants: readonly string[] }): () => void {
  const { transact, stores, clock, log, tenants } = needs
  let timer: { cancel(): void } | undefined, stopped = false
  async function look(): Promise<void> {
    for (const tenant of tenants) {
      // two processes that raise the same alert at once: one of them is told so by the key
      await watchOnce(transact, stores, clock, tenant).catch((err: unknown) => { if (!stopped) log.warn({ err, tenant, clause: 'CORE-197' }, 'service levels could not be judged') })
    }
    if (!stopped) timer = clock.after(every_ms * clock.rate, () => void look())
  }
  timer = clock.after(every_ms * clock.rate, () => void look())
  return () => {
    stopped = true
    timer?.cancel()
  }
}
