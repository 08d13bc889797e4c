/**
 * OA-070: a number comes back in the digits it was sent in (`9007199254740993`, `1.0`, `1e3`), which a double does not always hold.
 * Such a number travels and is stored as `{"_n":"1.0"}` where it stood. No client can write that: the door drops members that are not
 * described, and none is called `_n`. All other numbers stay plain numbers.
 */
export interface Literal { readonly _n: string }

const isLiteral = (value: unknown): value is Literal => typeof value === 'object' && value !== null && typeof (value as Partial<Literal>)._n === 'string'

/** A number token stands after one of these; digits inside words of a string look the same and cost only the slower way. */
const tokens = /(?<=[[:,\s])-?\d[\d.eE+-]*/g
/** Strings are matched to be stepped over. */
const stringOrNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

const survives = (token: string): boolean => String(Number(token)) === token

/**
 * The body once more, with a `Literal` for each number that a double does not give back digit for digit; undefined when there is none,
 * which costs one pass over the text. `text` is JSON that was parsed before.
 */
export function exactTwin(text: string): unknown {
  let all = true
  for (const [token] of text.matchAll(tokens)) if (!survives(token)) { all = false; break }
  if (all) return undefined
  let any = false
  const wrapped = text.replace(stringOrNumber, (token) => {
    if (token.startsWith('"') || survives(token)) return token
    any = true
    return `{"_n":"${token}"}`
  })
  return any ? JSON.parse(wrapped) : undefined
}

/** The value with its digits, when `twin` stands for the same number. */
export const exactly = (value: number, twin: unknown): number | Literal => (isLiteral(twin) && Object.is(Number(twin._n), value) ? twin : value)

/** A payload value as arithmetic reads it. */
export const plain = (value: unknown): unknown => (isLiteral(value) ? Number(value._n) : value)

/** JSON text with the literals in their own digits. A quote inside a string is written `\"`, so only a `Literal` looks like this. */
export function printed(value: unknown): string {
  const text = JSON.stringify(value)
  return text.includes('{"_n":"') ? text.replace(/\{"_n":"([^"]*)"\}/g, '$1') : text
}
