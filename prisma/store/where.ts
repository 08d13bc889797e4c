/** What a list may ask of a column; the same words as Prisma's, so a mapping reads alike. */
export type Wish = string | number | boolean | undefined | { readonly in: readonly string[] } | { readonly gt: number } | { readonly lt: number } | { readonly has: string }
/** Column → wish; an absent wish asks nothing. */
export type Where = Readonly<Record<string, Wish>>

/** A filter as SQL; every value travels as a parameter. `values` already holds the parameters before it. */
export function conditions(where: Where, values: unknown[]): string[] {
  const place = (value: unknown): string => `$${values.push(value)}`
  return Object.entries(where).flatMap(([column, wish]) => {
    if (wish === undefined) return []
    const name = `"${column}"`
    if (typeof wish !== 'object') return `${name} = ${place(wish)}`
    if ('in' in wish) return `${name} = any(${place(wish.in)})`
    if ('has' in wish) return `${name} @> array[${place(wish.has)}]`
    return 'gt' in wish ? `${name} > ${place(wish.gt)}` : `${name} < ${place(wish.lt)}`
  })
}
