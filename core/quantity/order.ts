const wide = /[\ud800-\uffff]/

/**
 * CORE-008: the last tie-break everywhere is the identifier ascending in byte order (UTF-8). UTF-16 order, which `<`
 * gives, differs from it only past U+D7FF, so only such strings pay for the encoding.
 */
export function byteOrder(a: string, b: string): number {
  if (a === b) return 0
  if (wide.test(a) || wide.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : 1
}
