import { participationCurve, type ParticipationCurve } from '#core/availability/participation.js'
import { rateOf } from '#core/availability/portfolio.js'
import type { Delivery } from '#core/dispatch/delivery.js'
import type { Dispatch } from '#core/dispatch/dispatch.js'
import type { Stores } from '#core/port/store/index.js'
import type { Program } from '#core/program/program.js'
import type { Instant } from '#core/quantity/interval.js'
import type { Work } from '#core/work.js'

export const kind = 'core/Response'

type Count = readonly [successes: number, calls: number]

/** How a program's devices have answered so far: one record per program, counted at the end of each event. */
export interface ResponseHistory {
  readonly events: readonly { readonly dispatch: string; readonly start: Instant; readonly asked: number; readonly responded: number }[]
  readonly byResource: Readonly<Record<string, Count>>
  /** By kind of resource, and by kind and hour of the day in UTC: `battery`, `battery/22`. */
  readonly byClass: Readonly<Record<string, Count>>
}

const none: ResponseHistory = { events: [], byResource: {}, byClass: {} }
const hourOf = (at: Instant): number => Math.floor((((at % 86_400) + 86_400) % 86_400) / 3600)

export const historyOf = async (stores: Stores, tenant: string, program: string): Promise<ResponseHistory> => (await stores.documents.get<ResponseHistory>(tenant, kind, program))?.body ?? none

/** Did what it was asked, as far as words say; performance says the rest later. */
const answered = (d: Delivery): boolean => d.state === 'completed' || d.state === 'started' || d.state === 'optedIn' || d.state === 'partial'
/** Taken back by ourselves: no answer of the device. */
const counts = (d: Delivery): boolean => d.attempts > 0 && d.state !== 'cancelled' && d.state !== 'superseded'

/** CORE-036: one event more. Counting the same event twice changes nothing. */
export function counted(history: ResponseHistory, dispatch: Pick<Dispatch, 'id' | 'start'>, deliveries: readonly Delivery[]): ResponseHistory {
  if (history.events.some((e) => e.dispatch === dispatch.id)) return history
  const told = deliveries.filter(counts), byResource: Record<string, Count> = { ...history.byResource }, byClass: Record<string, Count> = { ...history.byClass }
  const add = (into: Record<string, Count>, key: string, yes: boolean): void => {
    const [s, n] = into[key] ?? [0, 0]
    into[key] = [s + (yes ? 1 : 0), n + 1]
  }
  for (const d of told) {
    const yes = answered(d), { kind: of } = d.order.resource
    add(byResource, d.resource, yes)
    add(byClass, of, yes)
    add(byClass, `${of}/${hourOf(dispatch.start)}`, yes)
  }
  return told.length === 0 ? history : { byResource, byClass, events: [...history.events, { dispatch: dispatch.id, start: dispatch.start, asked: told.length, responded: told.filter(answered).length }] }
}

export async function countResponse({ stores, clock }: Work, dispatch: Dispatch, deliveries: readonly Delivery[]): Promise<void> {
  const before = await historyOf(stores, dispatch.tenant, dispatch.program), after = counted(before, dispatch, deliveries)
  if (after !== before) await stores.documents.insertMany<ResponseHistory>([{ tenant: dispatch.tenant, kind, id: dispatch.program, parent: '', body: after }], clock.nowMs(), { onConflict: 'replace' })
}

export interface RateTable {
  p(resource: string, kind: string): number
  readonly known: boolean
  readonly curve: ParticipationCurve | undefined
}

/**
 * CORE-036: the device's own history, else that of its kind at this hour, else of its kind, else what the program says, else nothing is
 * known and (0+1)/(0+2) counts. CORE-039: who has no history of his own follows the participation that the season's curve forecasts for
 * the next event, where that is lower.
 */
export function ratesOf(history: ResponseHistory, program: Pick<Program, 'rules'>, at: Instant): RateTable {
  const said = (program.rules as { responseRates?: Readonly<Record<string, number>> }).responseRates ?? {}
  const curve = participationCurve(history.events.map((e) => (e.asked === 0 ? 0 : e.responded / e.asked)))
  const count = (c: Count | undefined) => (c === undefined ? undefined : { successes: c[0], calls: c[1] })
  return {
    known: history.events.length > 0, curve,
    p(resource, of) {
      const own = count(history.byResource[resource]), ofClass = count(history.byClass[`${of}/${hourOf(at)}`] ?? history.byClass[of])
      if (own !== undefined && own.calls > 0) return rateOf(own, own)
      const rate = ofClass === undefined ? said[of] ?? rateOf(undefined, { successes: 0, calls: 0 }) : rateOf(undefined, ofClass)
      return curve === undefined ? rate : Math.min(rate, Math.max(0, curve.forecastNext))
    },
  }
}

export const rateTable = async (stores: Stores, program: Program, at: Instant): Promise<RateTable> => ratesOf(await historyOf(stores, program.tenant, program.id), program, at)
