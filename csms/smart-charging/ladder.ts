import type { RateUnit } from '#csms/wire/charging-profile.js'
import type { Place } from './purpose.js'

/** One way of putting a limit to a station. */
export interface Rung {
  readonly places: readonly Place[]
  readonly unit: RateUnit
  readonly stackLevel: number
  /** Periods that the station takes at once; the rest is sent later (CORE-100). */
  readonly periods: number
}

export interface LadderFacts {
  readonly running: readonly { readonly evseId: number; readonly transactionId: string }[]
  readonly evses: readonly number[]
  /** Units the station says it knows; empty = unknown. */
  readonly units: readonly RateUnit[]
  /** Periods that the order needs. */
  readonly needed: number
}

type Step = (rung: Rung, facts: LadderFacts) => Rung | undefined

const kind = (rung: Rung): string => rung.places.map((p) => p.purpose).join()
const isMax = (rung: Rung): boolean => rung.places[0]?.purpose === 'ChargingStationMaxProfile'
const isDefault0 = (rung: Rung): boolean => rung.places.some((p) => p.purpose === 'TxDefaultProfile' && p.evseId === 0)

/** OCPP-228, in order. Each step says what comes after a rejection, or nothing when it does not apply. */
const steps: Record<string, Step> = {
  /** MaxProfile → TxDefaultProfile(0) and a TxProfile for each running transaction. */
  spread: (rung, { running }) => (isMax(rung) ? {
    ...rung,
    places: [{ purpose: 'TxDefaultProfile', evseId: 0 }, ...running.map((t): Place => ({ purpose: 'TxProfile', evseId: t.evseId, transactionId: t.transactionId }))],
  } : undefined),
  /** → TxDefaultProfile for each EVSE. */
  perEvse: (rung, { evses }) => (isDefault0(rung) && evses.length > 0 ? { ...rung, places: evses.map((evseId): Place => ({ purpose: 'TxDefaultProfile', evseId })) } : undefined),
  /** A TxProfile whose transaction is gone or not allowed → the default of that EVSE, and the reverse for a running one. */
  swap: (rung, { running }) => {
    const [place] = rung.places
    if (rung.places.length !== 1 || !place || isMax(rung) || isDefault0(rung)) return undefined
    if (place.purpose === 'TxProfile') return { ...rung, places: [{ purpose: 'TxDefaultProfile', evseId: place.evseId }] }
    const t = running.find((r) => r.evseId === place.evseId)
    return t ? { ...rung, places: [{ purpose: 'TxProfile', evseId: t.evseId, transactionId: t.transactionId }] } : undefined
  },
  amperes: (rung, { units }) => (rung.unit === 'W' && (units.length === 0 || units.includes('A')) ? { ...rung, unit: 'A' } : undefined),
  watts: (rung, { units }) => (rung.unit === 'A' && units.includes('W') ? { ...rung, unit: 'W' } : undefined),
  fewer: (rung, { needed }) => (Math.min(rung.periods, needed) > 1 ? { ...rung, periods: Math.max(1, Math.floor(Math.min(rung.periods, needed) / 4)) } : undefined),
  lower: (rung) => (rung.stackLevel > 1 ? { ...rung, stackLevel: rung.stackLevel - 1 } : undefined),
}

const usual = ['spread', 'perEvse', 'swap', 'amperes', 'fewer', 'lower']
/** What a reasonCode points at is tried first (OCPP-191). */
const pointed: Record<string, string[]> = {
  UnsupportedRateUnit: ['amperes', 'watts'], InvalidStackLevel: ['lower'], DuplicateProfile: ['lower'], TooManyElements: ['fewer'],
  InvalidSchedule: ['fewer', 'amperes'], TxNotFound: ['swap'], UnknownTxId: ['swap'], UnknownEvse: ['spread'],
}

const text = (rung: Rung): string => JSON.stringify([kind(rung), rung.places, rung.unit, rung.stackLevel, rung.periods])

/** The next rung after `rung` was rejected, or undefined: nothing is left that was not tried. Pure. */
export function nextRung(rung: Rung, reasonCode: string | undefined, facts: LadderFacts, tried: ReadonlySet<string>): Rung | undefined {
  for (const name of [...(pointed[reasonCode ?? ''] ?? []), ...usual]) {
    const next = (steps[name] as Step)(rung, facts)
    if (next && !tried.has(text(next))) return next
  }
  return undefined
}

export const rungKey = text
