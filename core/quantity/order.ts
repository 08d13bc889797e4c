/** A UTF-16 code unit's place in UTF-8 byte order: surrogates stand for characters above U+FFFF, so they go last. */
const rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

/**
 * CORE-008: the last tie-break everywhere is the identifier ascending in byte order (UTF-8). UTF-16 order, which `<`
 * gives, differs from it past U+D7FF; the first unit that differs decides.
 */
export function byteOrder(a: string, b: string): number {
  if (a === b) return 0
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i), y = b.charCodeAt(i)
    if (x !== y) return rank(x) < rank(y) ? -1 : 1
  }
  return a.length < b.length ? -1 : 1
}
