import { Refusal } from '#core/error.js'
import { unstorable } from '#vtn/door-check.js'
import { DoorRefusal, nothingHere } from '#vtn/error-map.js'

/** Raw values of a query string by name: decoding waits until a list is split, since `%2C` is not a separator (OA-060). */
export type RawQuery = ReadonlyMap<string, readonly string[]>

const decode = (text: string): string => {
  try {
    const value = decodeURIComponent(text.replaceAll('+', ' '))
    if (unstorable.test(value)) throw new Error('unstorable')
    return value
  } catch {
    throw new Refusal('invalid', 'the query string is not valid percent-encoded UTF-8')
  }
}

export function rawQuery(url: string): RawQuery {
  const at = url.indexOf('?')
  const out = new Map<string, string[]>()
  if (at < 0) return out
  for (const pair of url.slice(at + 1).split('&')) {
    if (!pair) continue
    const eq = pair.indexOf('=')
    const name = decode(eq < 0 ? pair : pair.slice(0, eq))
    const value = eq < 0 ? '' : pair.slice(eq + 1)
    const list = out.get(name)
    if (list) list.push(value)
    else out.set(name, [value])
  }
  return out
}

const bad = (name: string, why: string): Refusal => new Refusal('invalid', `query parameter ${name} ${why}`, { faults: [{ path: `?${name}`, reason: why }] })

/** A parameter that may come once (OA-057: repeated scalars are 400). */
export function scalar(query: RawQuery, name: string, check: { min?: number; max?: number; pattern?: RegExp } = {}): string | undefined {
  const values = query.get(name)
  if (!values) return undefined
  if (values.length > 1) throw bad(name, 'may be given once')
  const value = decode(values[0] as string)
  if (value.length < (check.min ?? 1) || value.length > (check.max ?? 128)) throw bad(name, `must have ${check.min ?? 1} to ${check.max ?? 128} characters`)
  if (check.pattern && !check.pattern.test(value)) throw bad(name, 'has an unknown form')
  return value
}

/** OA-060: `a=x&a=y`, `a=x,y` and `a[]=x`. */
export function list(query: RawQuery, name: string): string[] | undefined {
  const raw = [...(query.get(name) ?? []), ...(query.get(`${name}[]`) ?? [])]
  if (!raw.length) return undefined
  const values = raw.flatMap((value) => value.split(',')).map(decode)
  if (values.some((v) => v.length < 1 || v.length > 128)) throw bad(name, 'must have values of 1 to 128 characters')
  return [...new Set(values)]
}

function integer(query: RawQuery, name: string, max: number): number | undefined {
  const text = scalar(query, name, { max: 12 })
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text) || Number(text) > max) throw bad(name, `must be an integer from 0 to ${max}`)
  return Number(text)
}

export interface PageCut { readonly skip: number; readonly limit: number }

/** OA-057: at most 50; none means 50; 0 is valid. */
export const pageCut = (query: RawQuery): PageCut =>
  ({ skip: integer(query, 'skip', 2147483647) ?? 0, limit: integer(query, 'limit', 50) ?? 50 })

/** OA-061. */
export function flag(query: RawQuery, name: string): boolean {
  const text = scalar(query, name)
  if (text !== undefined && text !== 'true' && text !== 'false') throw bad(name, 'must be true or false')
  return text === 'true'
}

const idPattern = /^[a-zA-Z0-9_-]{1,128}$/

/** OA-053: a path id of another form is 400, not 404. */
export function pathId(value: string | undefined): string {
  if (value === '') throw new DoorRefusal(404, nothingHere)
  if (value === undefined || !idPattern.test(value)) throw new DoorRefusal(400, 'an id in the path has characters or a length that no id has')
  return value
}

export const idParameter = (query: RawQuery, name: string): string | undefined => scalar(query, name, { pattern: idPattern })
