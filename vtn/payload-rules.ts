import type { Fault } from '#core/error.js'
import { plain } from '#vtn/wire/literal.js'

type Values = readonly unknown[]
interface Rule { readonly says: string; readonly holds: (values: Values) => boolean }

const isNumber = (v: unknown): v is number => typeof v === 'number'
const one = (says: string, holds: (v: unknown) => boolean): Rule => ({ says: `must have one value, ${says}`, holds: (v) => v.length === 1 && holds(v[0]) })
const many = (says: string, holds: (v: unknown) => boolean): Rule => ({ says: `must have values, ${says}`, holds: (v) => v.length > 0 && v.every(holds) })

const number = one('a number', isNumber)
const atLeastZero = one('a number of at least 0', (v) => isNumber(v) && v >= 0)
const level = one('an integer 0 … 3', (v) => Number.isInteger(v) && (v as number) >= 0 && (v as number) <= 3)
const text = one('a string', (v) => typeof v === 'string')
const anything = one('of any kind', () => true)
const fraction = one('a number 0 … 1', (v) => isNumber(v) && v >= 0 && v <= 1)
const bit = one('0 or 1', (v) => v === 0 || v === 1)
const named = <R>(names: readonly string[], rule: R): [string, R][] => names.map((n) => [n, rule])

const capacity = ['IMPORT_CAPACITY_', 'EXPORT_CAPACITY_'].flatMap((p) =>
  ['SUBSCRIPTION', 'RESERVATION', 'RESERVATION_FEE', 'AVAILABLE', 'AVAILABLE_PRICE', 'LIMIT'].map((s) => p + s))

/** Enumerations of 3.1.1, event payloads; openadr3.md §10 says where the schema file is not to be followed to the letter. */
export const eventPayloads: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['SIMPLE', level],
  ...named(['PRICE', 'PRICE_ALTERNATE', 'EXPORT_PRICE'], many('numbers', isNumber)),
  ['GHG', many('numbers of at least 0', (v) => isNumber(v) && v >= 0)],
  ['CHARGE_STATE_SETPOINT', atLeastZero], ['DISPATCH_SETPOINT', atLeastZero], ['DISPATCH_SETPOINT_RELATIVE', number],
  ['DISPATCH_INSTRUCTION', many('strings of 1 … 128', (v) => typeof v === 'string' && v.length >= 1 && v.length <= 128)],
  ['CONTROL_SETPOINT', anything],
  ['CONTROL_LEVEL_OFFSET', one('an integer -10 … 10', (v) => Number.isInteger(v) && Math.abs(v as number) <= 10)],
  ['CONTROL_LEVEL_OFFSET_PERCENT', one('a number -1 … 1', (v) => isNumber(v) && Math.abs(v) <= 1)],
  ['CURVE', many('points', (v) => typeof v === 'object')],
  ['OLS', many('numbers 0 … 1', (v) => isNumber(v) && v >= 0 && v <= 1)],
  ...named(capacity, number),
  ...named(['GRID_EMERGENCY', 'BLACK_START', 'POSSIBLE_OUTAGE', 'FLEX_ALERT', 'FIRE', 'FREEZING', 'WIND', 'TSUNAMI', 'AIR_QUALITY', 'OTHER'].map((s) => `ALERT_${s}`), text),
  ...named(['CTA2045_REBOOT', 'CTA2045_SET_OVERRIDE_STATUS'], bit),
])

export const operatingStates = [
  'NORMAL', 'ERROR', 'IDLE_NORMAL', 'RUNNING_NORMAL', 'RUNNING_CURTAILED', 'RUNNING_HEIGHTENED', 'IDLE_CURTAILED', 'SGD_ERROR_CONDITION',
  'IDLE_HEIGHTENED', 'IDLE_OPTED_OUT', 'RUNNING_OPTED_OUT',
] as const

/** Enumerations of 3.1.1, report payloads. */
export const reportPayloads: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...named(['USAGE', 'DEMAND'], atLeastZero),
  ...named(['READING', 'DELTA_USAGE', 'BASELINE', 'UP_REGULATION_AVAILABLE', 'DOWN_REGULATION_AVAILABLE', 'REGULATION_SETPOINT', 'STORAGE_USABLE_CAPACITY',
    'STORAGE_MAX_DISCHARGE_POWER', 'STORAGE_MAX_CHARGE_POWER', 'USAGE_FORECAST', 'STORAGE_DISPATCH_FORECAST', 'LOAD_SHED_DELTA_AVAILABLE',
    'GENERATION_DELTA_AVAILABLE', 'IMPORT_RESERVATION_CAPACITY', 'IMPORT_RESERVATION_FEE', 'EXPORT_RESERVATION_CAPACITY', 'EXPORT_RESERVATION_FEE'], number),
  ['SETPOINT', anything], ['STORAGE_CHARGE_LEVEL', fraction], ['SIMPLE_LEVEL', level],
  ['OPERATING_STATE', one('an operating state', (v) => (operatingStates as readonly unknown[]).includes(v))],
  ['DATA_QUALITY', one('OK, MISSING, ESTIMATED or BAD', (v) => ['OK', 'MISSING', 'ESTIMATED', 'BAD'].includes(v as string))],
])

/** OA-087: payloads of a known type that break its rule; private types are nobody's business (OA-009). */
export function payloadFaults(where: 'event' | 'report', intervals: readonly (readonly { type: string; values: Values }[])[]): Fault[] {
  const rules = where === 'event' ? eventPayloads : reportPayloads
  const faults: Fault[] = []
  for (const [i, payloads] of intervals.entries()) {
    for (const [p, payload] of payloads.entries()) {
      const rule = rules.get(payload.type)
      if (rule && !rule.holds(payload.values.map(plain))) faults.push({ path: `/intervals/${i}/payloads/${p}`, reason: `${payload.type} ${rule.says}` })
      if (faults.length >= 50) return faults
    }
  }
  return faults
}
