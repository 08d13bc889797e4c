import { isRefusal } from '#core/error.js'
import type { Timer } from '#core/port/clock.js'
import type { CsipContext } from '#csip-server/context.js'

const kind = 'csip/Lease', id = 'notifier', lasts_ms = 15_000, every_ms = 5000

/**
 * One process of several notifies: the one that holds the lease. It is renewed three times while it lasts; when its holder dies another takes it within 20 s.
 * A state may then come twice and never not at all, as after a restart.
 */
export function makeLeader(ctx: CsipContext, begin: () => Promise<void>, end: () => Promise<void>) {
  const { documents, tenant, clock, log } = ctx, holder = ctx.ids.hex(8)
  let leads = false, stopped = false, timer: Timer | undefined

  async function take(): Promise<boolean> {
    const now = clock.nowMs(), before = await documents.get<{ holder: string; until: number }>(tenant, kind, id), body = { holder, until: now + lasts_ms * clock.rate }
    if (before && before.body.holder !== holder && before.body.until > now) return false
    try {
      if (before) await documents.replace({ tenant, kind, id, parent: '', body }, now, before.version)
      else await documents.insert({ tenant, kind, id, parent: '', key: id, body }, now)
      return true
    } catch (error) {
      if (isRefusal(error)) return false // another was quicker
      throw error
    }
  }

  async function turn(): Promise<void> {
    try {
      const got = await take()
      if (got && !leads && !stopped) { leads = true; await begin() }
      if (!got && leads) { leads = false; log.warn({ clause: 'SEP-158' }, 'another process notifies now'); await end() }
    } catch (error) {
      log.error({ err: error }, 'the lease of the notifier could not be renewed')
    }
    if (!stopped) timer = clock.after(every_ms * clock.rate, () => void turn())
  }

  return {
    start: turn,
    leads: () => leads,
    async stop(): Promise<void> {
      stopped = true
      timer?.cancel()
      if (!leads) return
      leads = false
      await end()
      await documents.remove(tenant, kind, id).catch((error: unknown) => log.warn({ err: error }, 'the lease could not be given back'))
    },
  }
}
