/** FNV-1a, 32 bit, unsigned: the same number for the same words in every process and after every restart. No secret: nobody is kept out by it. */
export function fnv(...words: readonly string[]): number {
  let h = 0x811c9dc5
  for (const word of words) for (let i = 0; i < word.length; i += 1) h = Math.imul(h ^ word.charCodeAt(i), 0x01000193)
  return h >>> 0
}
