import type { Timer } from '#core/port/clock.js'
import type { CsipContext } from '#csip-server/context.js'

const kind = 'csip/LogEvent', kept = 1000

/** What the server logs about itself, below its SelfDevice (SEP-109). */
export async function logOfOurs(ctx: CsipContext, event: { functionSet: number; logEventCode: number; details: string }): Promise<void> {
  const now = ctx.clock.now(), logEventID = (await ctx.documents.count(ctx.tenant, { kind, parent: '' })) % 65_536
  const body = { createdDateTime: now, details: event.details.slice(0, 32), functionSet: event.functionSet, logEventCode: event.logEventCode, logEventID, logEventPEN: ctx.config.pen, profileID: 2 }
  await ctx.documents.insert({ tenant: ctx.tenant, kind, id: ctx.ids.hex(8).toUpperCase(), parent: '', sort1: now, sort2: logEventID, body }, ctx.clock.nowMs())
  const old = await ctx.documents.list(ctx.tenant, { kind, parent: '', order: ['-sort1', '-sort2'], skip: kept, limit: 10 })
  for (const doc of old) await ctx.documents.remove(ctx.tenant, kind, doc.id)
}

const look_ms = 10_000, most_s = 60

/** SEP-094: the clock is held against a count of time that nobody can set; a difference that grew by more than a minute is a step. */
export function watchClock(ctx: CsipContext, monotonicMs: () => number): { stop(): void } {
  const difference = (): number => ctx.clock.nowMs() - monotonicMs() * ctx.clock.rate
  let last = difference(), timer: Timer
  const look = (): void => {
    const now = difference(), step_s = Math.round((now - last) / 1000)
    if (Math.abs(step_s) > most_s) {
      last = now
      ctx.log.warn({ step_s, clause: 'SEP-094' }, 'the clock was set')
      logOfOurs(ctx, { functionSet: 12, logEventCode: 0, details: `clock step ${step_s} s` }).catch((error: unknown) => ctx.log.error({ err: error }, 'a log event could not be stored'))
    }
    timer = ctx.clock.after(look_ms * ctx.clock.rate, look)
  }
  timer = ctx.clock.after(look_ms * ctx.clock.rate, look)
  return { stop: () => timer.cancel() }
}
