import type { Served, Value } from '#csip-server/served.js'

/** Where a described thing is stored: derived from its address, so that no resource says it again. */
export interface Place {
  readonly kind: string
  readonly id: string
  readonly parent: string
}

const endsInSlot = (served: Served): boolean => served.resource.href?.template.endsWith('}') ?? false

/** A list member is known by its last segment and hangs below the rest; a singleton is known by its whole path. */
export function placeOf(served: Served, params: Readonly<Record<string, string>>): Place {
  const names = served.resource.href?.names ?? []
  const values = names.map((n) => params[n] ?? '')
  if (!endsInSlot(served)) return { kind: served.kind, id: values.join('/'), parent: values.join('/') }
  return { kind: served.kind, id: values.at(-1) ?? '', parent: values.slice(0, -1).join('/') }
}

/** The parent that members of a list have. */
export const parentOf = (served: Served, params: Readonly<Record<string, string>>): string =>
  (served.resource.href?.names ?? []).map((n) => params[n] ?? '').join('/')

/** The last name in an item's template: what a list member's own id fills. */
export const slotOf = (served: Served): string => served.resource.href?.names.at(-1) ?? ''

const path = (value: Value, dotted: string): unknown => dotted.split('.').reduce<unknown>((at, step) => (at as Value | undefined)?.[step], value)

/** An mRID compares as a 128-bit number (SEP-053), which upper-case text of equal length does too. */
export const mridKey = (mRID: string): string => mRID.toUpperCase().padStart(32, '0')

export interface Keys {
  readonly key: string | null
  readonly sort1: number
  readonly sort2: number
}

/** What a document is sorted by, from the sort keys of its list: at most two numbers, the mRID as its key. */
export function keysOf(sort: readonly string[] | undefined, value: Value): Keys {
  const numbers = (sort ?? []).map((s) => s.replace(/^-/, '')).filter((s) => s !== 'mRID' && s !== 'href').map((s) => Number(path(value, s) ?? 0))
  return { key: typeof value.mRID === 'string' ? mridKey(value.mRID) : null, sort1: numbers[0] ?? 0, sort2: numbers[1] ?? 0 }
}

type Order = 'id' | 'key' | 'sort1' | 'sort2' | '-id' | '-key' | '-sort1' | '-sort2'

/** The same sort keys as a store query; ties end with the id, as hrefs do (SEP-053). */
export function orderOf(sort: readonly string[] | undefined): Order[] {
  let n = 0
  const order = (sort ?? []).map((s): Order => {
    const minus = s.startsWith('-') ? '-' : ''
    const field = s.replace(/^-/, '')
    return `${minus}${field === 'mRID' ? 'key' : field === 'href' ? 'id' : (`sort${++n}` as 'sort1')}` as Order
  })
  return order.some((o) => o.endsWith('id')) ? order : [...order, 'id']
}

const times = new Set(['createdDateTime', 'interval.start', 'intervalRequested.start', 'changedTime', 'timePeriod.start', 'creationTime'])
/** SEP-052: `a` works on lists whose first key is a time. */
export const firstIsTime = (sort: readonly string[] | undefined): boolean => times.has((sort?.[0] ?? '').replace(/^-/, ''))
