import type { Fault } from '#core/error.js'
import { Exact, minorDigits } from '#core/quantity/money.js'
import { verdicts, type Verdict } from '#core/program/screening.js'

/** What each price component must name (CORE-180), and which of it are decimals. */
const needs: Readonly<Record<string, readonly string[]>> = { energy: [], capacity: ['rate'], availability: ['rate'], bonus: ['rate'], penalty: ['rate'], fee: ['amount'], tax: ['rate'] }
const decimal = (v: unknown): boolean => typeof v === 'string' && /^-?\d{1,15}(\.\d{1,12})?$/.test(v)
const object = (v: unknown): v is Record<string, unknown> => v !== null && typeof v === 'object' && !Array.isArray(v)

/** `rules.prices`, `rules.shares`, `rules.tests`, `rules.optOut` and `rules.disputeDays` of a program are money: wrong ones are refused when they are said, not when they are paid. */
export function moneyRuleFaults(rules: Readonly<Record<string, unknown>>, currency: string): Fault[] {
  const out: Fault[] = [], { prices, optOut, disputeDays, shares, tests, priority, compatibility } = rules, say = (path: string, reason: string): void => void out.push({ path: `/rules/${path}`, reason })
  if (prices !== undefined && !Array.isArray(prices)) say('prices', 'must be a list')
  for (const [i, p] of (Array.isArray(prices) ? prices as unknown[] : []).entries()) {
    const kind = object(p) ? String(p['kind']) : ''
    if (!object(p) || !Object.hasOwn(needs, kind)) { say(`prices/${i}/kind`, `must be one of ${Object.keys(needs).join(', ')}`); continue }
    for (const name of needs[kind]!) if (!decimal(p[name])) say(`prices/${i}/${name}`, 'must be a decimal number as text')
    if (kind === 'energy' && !decimal(p['price']) && !(Array.isArray(p['price']) && p['price'].every((v) => v === null || decimal(v)))) say(`prices/${i}/price`, 'must be a decimal as text, or a list of them')
    if (kind === 'energy' && p['last'] !== undefined && !decimal(p['last'])) say(`prices/${i}/last`, 'must be a decimal number as text')
    if (kind === 'capacity' && p['per'] !== 'month' && p['per'] !== 'day') say(`prices/${i}/per`, 'must be month or day')
    if (kind === 'bonus' && !Number.isSafeInteger(p['fromEvent'])) say(`prices/${i}/fromEvent`, 'must be a whole number')
    if (kind === 'penalty' && p['threshold'] !== undefined && !decimal(p['threshold'])) say(`prices/${i}/threshold`, 'must be a decimal number as text')
  }
  if (shares !== undefined) out.push(...shareFaults(shares))
  if (priority !== undefined && !(Number.isSafeInteger(priority) && (priority as number) >= 0)) say('priority', 'must be a whole number, lower wins')
  if (compatibility !== undefined && !(object(compatibility) && Object.values(compatibility).every((v) => verdicts.includes(v as Verdict)))) say('compatibility', `must say of each program one of ${verdicts.join(', ')}`)
  if (tests !== undefined && !['paid', 'capped', 'unpaid'].includes(tests as string)) say('tests', 'must be paid, capped or unpaid')
  if (optOut !== undefined) out.push(...optOutFaults(optOut, currency))
  if (disputeDays !== undefined && !(Number.isSafeInteger(disputeDays) && (disputeDays as number) >= 0)) say('disputeDays', 'must be a whole number of days')
  return out
}

/** CORE-184: parties in order, each once; a share is 0 to 1, and the customers' own stands in `customerShare`. */
function shareFaults(shares: unknown): Fault[] {
  if (!Array.isArray(shares)) return [{ path: '/rules/shares', reason: 'must be a list' }]
  const seen = new Set<string>()
  return (shares as unknown[]).flatMap((s, i): Fault[] => {
    const path = `/rules/shares/${i}`, party = object(s) ? s['party'] : undefined
    if (!object(s) || typeof party !== 'string' || !/^[\w.:@-]{1,100}$/.test(party) || party === 'rest') return [{ path: `${path}/party`, reason: 'must name a party' }]
    if (seen.has(party)) return [{ path: `${path}/party`, reason: 'is named twice' }]
    seen.add(party)
    const share = s['share'], of0to1 = decimal(share) && new Exact(share as string).gte(0) && new Exact(share as string).lte(1)
    if (party === 'customer') return share === undefined ? [] : [{ path: `${path}/share`, reason: 'stands in customerShare' }]
    return of0to1 ? [] : [{ path: `${path}/share`, reason: 'must be a decimal from 0 to 1 as text' }]
  })
}

function optOutFaults(rule: unknown, currency: string): Fault[] {
  if (!object(rule)) return [{ path: '/rules/optOut', reason: 'must be an object of perSeason and penalty' }]
  const { perSeason, penalty, ...rest } = rule, out: Fault[] = Object.keys(rest).map((name) => ({ path: `/rules/optOut/${name}`, reason: 'is not a field of this' }))
  if (perSeason !== undefined && !(Number.isSafeInteger(perSeason) && (perSeason as number) >= 0)) out.push({ path: '/rules/optOut/perSeason', reason: 'must be a whole number' })
  const whole = (text: string): boolean => { try { return new Exact(text).gte(0) && new Exact(text).decimalPlaces() <= minorDigits(currency) } catch { return false } }
  if (penalty !== undefined && !(decimal(penalty) && whole(penalty as string))) out.push({ path: '/rules/optOut/penalty', reason: `must be an amount of ${currency} as text` })
  return out
}
