import { Refusal } from '#core/error.js'
import type { Adjustment, DayRule, Pick, Preset, Window } from '#core/baseline/method.js'

const s = (start: number, end: number): Window => ({ from: 's', start, end })
const e = (start: number, end: number): Window => ({ from: 'e', start, end })
const all: Pick = { kind: 'all' }
const high = (x: number): Pick => ({ kind: 'high', x })
const mid = (x: number): Pick => ({ kind: 'mid', x })
const days = (y: number, pick: Pick, min: number): DayRule => ({ y, pick, min })
const none: Adjustment = { kind: 'none' }
const ratio = (windows: readonly Window[], lo?: number, hi?: number): Adjustment =>
  ({ kind: 'multiplicative', windows, ...(lo === undefined ? {} : { lo }), ...(hi === undefined ? {} : { hi }) })
const offset = (windows: readonly Window[]): Adjustment => ({ kind: 'additive', windows })

const aemo = { version: 1, lookback: 45, offset: 1, adjustment: ratio([s(-4, -1)], 0.8, 1.2), assumed: ['lookback', 'min', 'adjustment'] } as const
const korea = { version: 1, scheme: 'biz/non', lookback: 45, offset: 1, assumed: ['lookback', 'adjustment'] } as const
const max4of5 = { biz: days(5, high(4), 4) }, mid6of10 = { biz: days(10, mid(6), 6) }

/** core-dr.md §11.2, one row each. A published row never changes; a change is a row of a new version (CORE-135). */
const table: readonly Preset[] = [
  { name: 'CAISO_10IN10', version: 1, scheme: 'biz/non', lookback: 45, offset: 1, rules: { biz: days(10, all, 5), non: days(4, all, 4) },
    adjustment: ratio([s(-4, -1)], 0.8, 1.2), assumed: ['window', 'lookback'] },
  { name: 'CAISO_5IN10_RES', version: 1, scheme: 'biz/non', lookback: 45, offset: 1, rules: { biz: days(10, high(5), 5), non: days(5, high(3), 3) },
    adjustment: ratio([s(-4, -2), e(2, 4)], 1 / 1.4, 1.4), assumed: ['window', 'cap'] },
  { name: 'CAISO_5IN10_RES_WEIGHTED', version: 1, scheme: 'biz/non', lookback: 45, offset: 1, rules: { biz: days(10, high(5), 5), non: days(5, high(3), 3) },
    adjustment: ratio([s(-4, -2), e(2, 4)], 1 / 1.4, 1.4), weights: { non: [0.5, 0.3, 0.2] }, assumed: ['window', 'cap', 'weights'] },
  { name: 'PJM_3DT_SAA', version: 1, scheme: 'wd/sat/sun', lookback: 45, offset: 1,
    rules: { wd: days(5, high(4), 4), sat: days(3, high(2), 2), sun: days(3, high(2), 2) },
    lowUsage: { kind: 'mean', share: 0.25 }, adjustment: offset([s(-4, -1)]), assumed: ['days', 'lookback', 'adjustment'] },
  { name: 'NYISO_AVG5OF10', version: 1, scheme: 'cal', lookback: 30, offset: 2,
    rules: { wd: days(10, high(5), 5), sat: { ...days(3, high(2), 2), exclusions: false }, sun: { ...days(3, high(2), 2), exclusions: false } },
    lowUsage: { kind: 'seed', share: 0.25 }, adjustment: ratio([s(-4, -2)], 0.8, 1.2), assumed: ['cap', 'high 2'] },
  { name: 'UK_MID8OF10', version: 1, scheme: 'biz/non', lookback: 60, offset: 1, rules: { biz: days(10, mid(8), 5), non: days(4, mid(2), 4) },
    adjustment: offset([s(-4, -1)]), assumed: ['days', 'lookback', 'adjustment'] },
  { name: 'AEMO_10OF10', scheme: 'biz/non', rules: { biz: days(10, all, 5), non: days(4, all, 4) }, ...aemo },
  { name: 'AEMO_10OF10_BUSINESS', scheme: 'biz/non', rules: { biz: days(10, all, 5) }, ...aemo },
  { name: 'AEMO_10OF10_NON_BUSINESS', scheme: 'biz/non', rules: { non: days(4, all, 4) }, ...aemo },
  { name: 'AEMO_10OF10_ALL', scheme: 'all', rules: { all: days(10, all, 5) }, ...aemo },
  { name: 'ERCOT_MID8OF10', version: 1, scheme: 'biz/non', lookback: 60, offset: 1, rules: { biz: days(10, mid(8), 8), non: days(4, mid(2), 4) },
    adjustment: ratio([s(-4, -2)]), assumed: ['lookback', 'min', 'adjustment'] },
  { name: 'KR_MAX4OF5', rules: max4of5, adjustment: none, ...korea },
  { name: 'KR_MAX4OF5_SAA', rules: max4of5, adjustment: offset([s(-4, -1)]), ...korea },
  { name: 'KR_MID6OF10', rules: mid6of10, adjustment: none, ...korea },
  { name: 'KR_MID6OF10_SAA', rules: mid6of10, adjustment: offset([s(-4, -1)]), ...korea },
  { name: 'TW_DAYS20', version: 1, scheme: 'biz/non', lookback: 60, offset: 1, rules: { biz: days(20, all, 10), non: days(20, all, 10) }, adjustment: none, assumed: ['lookback', 'min'] },
  { name: 'FLAT_ADD_POS', version: 1, scheme: 'biz/non', lookback: 45, offset: 1, rules: { biz: days(10, all, 5), non: days(4, all, 4) },
    adjustment: { kind: 'additive', windows: [s(-2, -1)], positiveOnly: true }, assumed: ['days', 'lookback'] },
  // The published rule adjusts loads, not batteries.
  { name: 'FLAT_ADD_POS_BATTERY', version: 1, scheme: 'biz/non', lookback: 45, offset: 1, rules: { biz: days(10, all, 5), non: days(4, all, 4) }, adjustment: none, assumed: ['days', 'lookback'] },
  // Event day and the 4 preceding business days; the hour starting 2 h before the start, flat over the event.
  { name: 'TX_5DAY_HOUR', version: 1, scheme: 'biz/non', lookback: 45, offset: 1, rules: { biz: days(4, all, 4) }, adjustment: none, flatHour: s(-2, -1), assumed: ['lookback'] },
]

function freeze<T>(value: T): T {
  if (value !== null && typeof value === 'object') Object.values(value).forEach(freeze)
  return Object.freeze(value)
}

export const presets: ReadonlyMap<string, Preset> = new Map(freeze(table).map((p) => [p.name, p]))

/** A preset by name, or a custom one of the same shape (CORE-135). */
export function preset(name: string | Preset): Preset {
  if (typeof name !== 'string') return name
  const found = presets.get(name)
  if (!found) throw new Refusal('invalid', `no baseline method '${name}'; there are ${[...presets.keys()].join(', ')}`)
  return found
}
