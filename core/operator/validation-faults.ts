import type { Fault } from '#core/error.js'

/** What the schema validator found, in its own words. */
export interface Finding {
  readonly keyword: string
  readonly instancePath: string
  readonly params: object
  readonly message?: string
}

const pathOf = (part: string, f: Finding): string => {
  const { missingProperty, additionalProperty } = f.params as { missingProperty?: string; additionalProperty?: string }
  return `${part === 'body' ? '' : part}${f.instancePath}${missingProperty === undefined ? '' : `/${missingProperty}`}${additionalProperty === undefined ? '' : `/${additionalProperty}`}`
}

const reasonOf = (f: Finding): string => (f.keyword === 'required' ? 'is missing' : f.keyword === 'additionalProperties' ? 'is not a field of this' : f.message ?? 'is wrong')

/** A choice of words fails once for each word: people are told the words once (UX-026). */
export function validationFaults(findings: readonly Finding[], part: string, most = 200): Fault[] {
  const allowed = new Map<string, string[]>()
  for (const f of findings) if (f.keyword === 'const') allowed.set(f.instancePath, [...(allowed.get(f.instancePath) ?? []), String((f.params as { allowedValue?: unknown }).allowedValue)])
  const said = new Set<string>(), out: Fault[] = []
  for (const f of findings) {
    const words = allowed.get(f.instancePath)
    if (f.keyword === 'if' || (f.keyword === 'anyOf' && words)) continue
    const fault = { path: pathOf(part, f), reason: f.keyword === 'const' && words ? `must be ${words.length > 1 ? `one of ${words.join(', ')}` : words[0]}` : reasonOf(f) }
    if (said.has(`${fault.path} ${fault.reason}`)) continue
    said.add(`${fault.path} ${fault.reason}`)
    out.push(fault)
    if (out.length === most) break
  }
  return out
}
