import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { Stores } from '#core/port/store/index.js'

/** The end of a tenant's chain at a time: whoever keeps a few of these can prove that nothing before was rewritten. */
export interface ChainHead {
  readonly tenant: string
  readonly seq: number
  readonly hash: string
  readonly at: string
}

const day_ms = 86_400_000

/**
 * CORE-232: writes the chain's head out at start and then daily, to a place that the server cannot rewrite (a file opened for appending only, a
 * receiver elsewhere). A failure is said aloud and tried again in an hour. Returns how to stop.
 */
export function anchorDaily(needs: { stores: Pick<Stores, 'audit'>; clock: Clock; log: Log; tenants: readonly string[]; put: (head: ChainHead) => Promise<void> }): () => void {
  const { stores, clock, log, tenants, put } = needs
  let timer: { cancel(): void } | undefined, stopped = false
  async function write(): Promise<void> {
    let wait = day_ms
    for (const tenant of tenants) {
      try {
        const { seq, hash } = await stores.audit.head(tenant)
        if (seq > 0) await put({ tenant, seq, hash, at: new Date(clock.nowMs()).toISOString() })
      } catch (err) {
        log.error({ err, tenant, clause: 'CORE-232' }, 'the head of the audit chain could not be written out')
        wait = 3_600_000
      }
    }
    if (!stopped) timer = clock.after(wait, () => void write())
  }
  void write()
  return () => {
    stopped = true
    timer?.cancel()
  }
}
