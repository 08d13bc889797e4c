import { Refusal } from '#core/error.js'

const deepest = 40

/**
 * SEC-041: what JSON can say and a database or a serializer cannot bear: nesting without end, U+0000, broken Unicode, numbers that
 * became infinite. Walked without recursion; streams are looked at row by row elsewhere.
 */
export function soundBody(body: unknown): void {
  if (body === null || typeof body !== 'object' || typeof (body as { pipe?: unknown }).pipe === 'function' || Buffer.isBuffer(body)) return
  const stack: { value: unknown; path: string; depth: number }[] = [{ value: body, path: '', depth: 0 }]
  const refuse = (path: string, reason: string): never => { throw new Refusal('invalid', `${path || 'the body'} ${reason}`, { faults: [{ path, reason }] }) }
  const text = (s: string, path: string): void => {
    if (s.includes('\0')) refuse(path, 'contains U+0000')
    if (/\p{Surrogate}/u.test(s)) refuse(path, 'contains broken Unicode')
  }
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const { value, path, depth } = at
    if (typeof value === 'string') text(value, path)
    else if (typeof value === 'number' && !Number.isFinite(value)) refuse(path, 'is not a finite number')
    else if (value !== null && typeof value === 'object') {
      if (depth > deepest) refuse(path, 'is nested too deep')
      for (const [key, member] of Object.entries(value)) {
        text(key, path)
        if (member !== null && typeof member !== 'boolean') stack.push({ value: member, path: `${path}/${key}`, depth: depth + 1 })
      }
    }
  }
}
