import { isDeepStrictEqual } from 'node:util'
import type { Matcher } from '#conformance/procedure.js'
import { same, sameLexical, sameSet } from '#conformance/meaning.js'

/** The value at a dotted path: `body.items[0].id`, `headers.content-type`, `body.length`, `body[*].id` (a list of all). */
export function at(value: unknown, path: string): unknown {
  if (path === '' || path === '.') return value
  const parts = [...path.matchAll(/\[(\d+|\*)\]|([^.[\]]+)/g)].map((m) => m[1] ?? (m[2] as string))
  return follow(value, parts)
}

function follow(value: unknown, parts: readonly string[]): unknown {
  let here = value
  for (const [i, part] of parts.entries()) {
    if (here === undefined || here === null) return undefined
    if (part === '*') return Array.isArray(here) ? here.map((each) => follow(each, parts.slice(i + 1))) : undefined
    if (part === 'length' && (Array.isArray(here) || typeof here === 'string')) here = here.length
    else here = Object.hasOwn(Object(here) as object, part) ? (here as Record<string, unknown>)[part] : undefined
  }
  return here
}

/** Undefined when the value is as wanted, else what is wrong in words. */
export function mismatch(value: unknown, wanted: Matcher): string | undefined {
  if (wanted === null || typeof wanted !== 'object') return value === wanted ? undefined : `expected ${show(wanted)}, got ${show(value)}`
  if ('oneOf' in wanted) return wanted.oneOf.some((one) => isDeepStrictEqual(one, value)) ? undefined : `expected one of ${wanted.oneOf.map(show).join(', ')}, got ${show(value)}`
  if ('matches' in wanted) return typeof value === 'string' && new RegExp(wanted.matches, 'u').test(value) ? undefined : `expected text like /${wanted.matches}/, got ${show(value)}`
  if ('exists' in wanted) return (value !== undefined) === wanted.exists ? undefined : wanted.exists ? 'expected it to be there' : `expected nothing, got ${show(value)}`
  if ('atLeast' in wanted) return typeof value === 'number' && value >= wanted.atLeast ? undefined : `expected at least ${wanted.atLeast}, got ${show(value)}`
  if ('atMost' in wanted) return typeof value === 'number' && value <= wanted.atMost ? undefined : `expected at most ${wanted.atMost}, got ${show(value)}`
  if ('contains' in wanted) return holds(value, wanted.contains) ? undefined : `expected it to contain ${show(wanted.contains)}, got ${show(value)}`
  if ('lacks' in wanted) return holds(value, wanted.lacks) ? `expected it not to contain ${show(wanted.lacks)}, got ${show(value)}` : undefined
  if ('equals' in wanted) return isDeepStrictEqual(value, wanted.equals) ? undefined : `expected ${show(wanted.equals)}, got ${show(value)}`
  if ('same' in wanted) return same(value, wanted.same) ? undefined : `expected ${show(wanted.same)} in meaning, got ${show(value)}`
  if ('lexical' in wanted) return typeof value === 'string' && sameLexical(value, wanted.lexical) ? undefined : `expected ${show(wanted.lexical)} as an XML value, got ${show(value)}`
  if ('sameSet' in wanted) return sameSet(value, wanted.sameSet) ? undefined : `expected ${show(wanted.sameSet)} in any order, got ${show(value)}`
  if ('any' in wanted) return wanted.any.some((each) => mismatch(value, each) === undefined) ? undefined : wanted.any.map((each) => mismatch(value, each)).join(', or ')
  if ('sorted' in wanted) return sorted(value, wanted.sorted, wanted.by) ? undefined : `expected ${wanted.sorted === 'asc' ? 'ascending' : 'descending'} order${wanted.by ? ` by ${wanted.by}` : ''}, got ${show(value)}`
  if ('not' in wanted) return mismatch(value, wanted.not) === undefined ? `expected anything but ${show(wanted.not)}` : undefined
  if ('each' in wanted) return Array.isArray(value) ? value.map((one) => mismatch(one, wanted.each)).find((miss) => miss !== undefined) : `expected a list, got ${show(value)}`
  if ('inOrderOf' in wanted) return inOrder(value, wanted.inOrderOf)
  if ('near' in wanted) return Math.abs(Number(value) - Number(wanted.near)) <= wanted.within ? undefined : `expected ${wanted.near} ± ${wanted.within}, got ${show(value)}`
  if ('notBetween' in wanted) return typeof value === 'number' && !(value > wanted.notBetween[0] && value < wanted.notBetween[1]) ? undefined : `expected nothing between ${wanted.notBetween.join(' and ')}, got ${show(value)}`
  if ('decimals' in wanted) return typeof value === 'number' && Math.abs(value * 10 ** wanted.decimals - Math.round(value * 10 ** wanted.decimals)) < 1e-6 ? undefined : `expected at most ${wanted.decimals} decimals, got ${show(value)}`
  if ('unique' in wanted) return Array.isArray(value) && new Set(value.map((v) => JSON.stringify(v))).size === value.length ? undefined : `expected no two alike, got ${show(value)}`
  return wanted.all.map((each) => mismatch(value, each)).find((miss) => miss !== undefined)
}

const holds = (value: unknown, part: unknown): boolean =>
  Array.isArray(value) ? value.some((one) => isDeepStrictEqual(one, part)) : typeof value === 'string' ? value.includes(String(part))
    : typeof value === 'object' && value !== null ? Object.hasOwn(value, String(part)) : false

/** Names in the order of a schema: each is one of the list, none comes before one that the list has earlier. */
function inOrder(value: unknown, order: readonly string[]): string | undefined {
  if (!Array.isArray(value)) return `expected a list of names, got ${show(value)}`
  const places = value.map((name) => order.indexOf(String(name)))
  const foreign = value[places.indexOf(-1)]
  if (foreign !== undefined) return `expected only names of the schema, got ${show(foreign)}`
  const late = places.findIndex((place, i) => i > 0 && place < (places[i - 1] as number))
  return late < 0 ? undefined : `expected schema order, but ${show(value[late])} comes after ${show(value[late - 1])}`
}

function sorted(value: unknown, order: 'asc' | 'desc', by?: string): boolean {
  if (!Array.isArray(value)) return false
  const keys = value.map((one) => (by ? at(one, by) : one)) as number[] // or all texts: both compare with <=
  return keys.every((key, i) => i === 0 || (order === 'asc' ? (keys[i - 1] as number) <= key : (keys[i - 1] as number) >= key))
}

const show = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : typeof value === 'bigint' ? `${value}n` : JSON.stringify(value) ?? String(value)
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
