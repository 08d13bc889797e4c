import { forecastError, forecastLoad, type ForecastError, type ForecastValue, type LoadForecast } from '#core/availability/load-forecast.js'
import { dayNumber, LocalCalendar } from '#core/baseline/calendar.js'
import type { Caller } from '#core/caller.js'
import { present } from '#core/permission.js'
import type { Document } from '#core/port/store/document.js'
import type { Instant, Interval } from '#core/quantity/interval.js'
import { resample } from '#core/verification/resample.js'
import type { Work } from '#core/work.js'

export const kind = 'core/LoadForecast'

/** A forecast as it was issued; `error` comes when what it spoke of has been measured (CORE-037). */
export interface KeptForecast extends Interval {
  readonly servicePoint: string
  readonly program: string
  /** Belief time in epoch ms (CORE-030). */
  readonly issuedAt: number
  readonly method: string
  readonly values: readonly ForecastValue[]
  readonly error: ForecastError | null
}

const look_s = 46 * 86_400
type Loads = (at: Instant) => number | undefined

async function loadsOf({ stores }: Work, tenant: string, servicePoint: string, from: Instant, to: Instant, step_s: number, net: boolean): Promise<Loads> {
  const first = Math.floor(from / step_s) * step_s, found = (await stores.readings.net(tenant, [servicePoint], first, to, { net, qualities: ['RAW', 'VALID', 'EDITED'] })).get(servicePoint)
  const Wh = resample(found?.start ?? [], found?.Wh ?? [], first, Math.ceil(to / step_s) * step_s, step_s)
  return (at) => {
    const value = Wh[(at - first) / step_s]
    return value === undefined || Number.isNaN(value) ? undefined : (value * 3.6) / step_s
  }
}

/** CORE-037, CORE-030: one more belief about a point's load; earlier ones stay. Too little data is a result with its reasons. */
export async function issueForecast(work: Work, caller: Caller, wish: { servicePoint: string; program: string; window: Interval; temperature?: Loads }): Promise<LoadForecast> {
  const { stores, clock, ids } = work, { window } = wish
  const program = present(await stores.programs.find(caller.tenant, wish.program), 'program', wish.program), point = present(await stores.servicePoints.find(caller.tenant, wish.servicePoint), 'service point', wish.servicePoint)
  const calendar = new LocalCalendar(program.timeZone, program.intervalMinutes), step_s = program.intervalMinutes * 60
  const load_kW = await loadsOf(work, caller.tenant, point.id, clock.now() - look_s, clock.now(), step_s, program.netting === 'net')
  const made = forecastLoad({ calendar, load_kW, temperature: wish.temperature, holidays: new Set(program.holidays.map(dayNumber)) }, window, clock.now())
  if (made.status !== 'OK') return made
  const body: KeptForecast = { ...window, servicePoint: point.id, program: program.id, issuedAt: clock.nowMs(), method: made.method, values: made.values, error: null }
  await stores.documents.insert<KeptForecast>({ tenant: caller.tenant, kind, id: ids.uuid(), parent: point.id, sort1: window.start, sort2: window.end, body }, clock.nowMs())
  return made
}

/** Gives every forecast of a point whose window is over its error; returns them, oldest first. */
export async function scoreForecasts(work: Work, caller: Caller, servicePoint: string): Promise<Document<KeptForecast>[]> {
  const { stores, clock } = work, point = present(await stores.servicePoints.find(caller.tenant, servicePoint), 'service point', servicePoint), out: Document<KeptForecast>[] = []
  for (const d of await stores.documents.list<KeptForecast>(caller.tenant, { kind, parent: point.id, sort2To: clock.now(), order: ['sort1', 'id'], limit: 1000 })) {
    if (d.body.error !== null) {
      out.push(d)
      continue
    }
    const program = await stores.programs.get(caller.tenant, d.body.program)
    const error = program && forecastError(d.body.values, await loadsOf(work, caller.tenant, point.id, d.body.start, d.body.end, program.intervalMinutes * 60, program.netting === 'net'))
    out.push(error ? await stores.documents.replace<KeptForecast>({ ...d, body: { ...d.body, error } }, clock.nowMs(), d.version) : d)
  }
  return out
}
