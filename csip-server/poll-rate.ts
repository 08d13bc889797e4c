import type { PollRates } from '#csip-server/config.js'
import type { CsipContext } from '#csip-server/context.js'

/** Poll rates that an operator set while we run; what is not here is the configuration's (SEP-243). */
export type Rates = Partial<PollRates>
export const pollRates = 'csip/PollRate'

export const ratesOf = (ctx: Pick<CsipContext, 'documents' | 'tenant' | 'recall'>): Promise<Rates> => ctx.recall<Rates>(pollRates, 'all', async () =>
  Object.fromEntries((await ctx.documents.list<{ seconds: number }>(ctx.tenant, { kind: pollRates })).map((d) => [d.id, d.body.seconds])))

export async function setPollRate(ctx: CsipContext, name: keyof PollRates, seconds: number): Promise<void> {
  await ctx.documents.insertMany([{ tenant: ctx.tenant, kind: pollRates, id: name, parent: '', body: { seconds } }], ctx.clock.nowMs(), { onConflict: 'replace' })
}
