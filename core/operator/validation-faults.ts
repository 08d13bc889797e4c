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

function reasonOf(f: Finding): string {
  const { limit, comparison } = f.params as { limit?: number; comparison?: string }
  switch (f.keyword) {
    case 'required': return 'is missing'
    case 'additionalProperties': return 'is not a field of this'
    case 'minLength': return limit === 1 ? 'is empty' : `is too short: ${limit} characters at least`
    case 'maxLength': return `is too long: ${limit} characters at most`
    case 'minimum': case 'maximum': case 'exclusiveMinimum': case 'exclusiveMaximum': return `must be ${comparison} ${limit}`
    default: return f.message ?? 'is wrong'
  }
}

/** Of a choice between one thing and a list of them, the form that was not sent has nothing to say. */
const besides = (f: Finding, all: readonly Finding[]): boolean =>
  (f.keyword === 'anyOf' || (f.keyword === 'type' && (f.params as { type?: unknown }).type === 'array')) && f.instancePath === '' && all.some((x) => x !== f && x.keyword !== 'anyOf' && !(x.keyword === 'type' && x.instancePath === ''))

/** Of a value or nothing, what is wrong with the value is said; that it is not nothing says nothing, nor that no form fits. */
const vague = (f: Finding, all: readonly Finding[]): boolean =>
  f.instancePath !== '' && (f.keyword === 'anyOf' || (f.keyword === 'type' && (f.params as { type?: unknown }).type === 'null')) && all.some((x) => x !== f && x.instancePath === f.instancePath && x.keyword !== 'anyOf' && (x.params as { type?: unknown }).type !== 'null')

/** A choice of words fails once for each word: people are told the words once (UX-026). */
export function validationFaults(findings: readonly Finding[], part: string, most = 200): Fault[] {
  const allowed = new Map<string, string[]>()
  for (const f of findings) if (f.keyword === 'const') allowed.set(f.instancePath, [...(allowed.get(f.instancePath) ?? []), String((f.params as { allowedValue?: unknown }).allowedValue)])
  const said = new Set<string>(), out: Fault[] = []
  for (const f of findings) {
    const words = allowed.get(f.instancePath)
    if (besides(f, findings) || vague(f, findings) || f.keyword === 'if' || (f.keyword === 'anyOf' && words)) continue
    const fault = { path: pathOf(part, f), reason: f.keyword === 'const' && words ? `must be ${words.length > 1 ? `one of ${words.join(', ')}` : words[0]}` : reasonOf(f) }
    if (said.has(`${fault.path} ${fault.reason}`)) continue
    said.add(`${fault.path} ${fault.reason}`)
    out.push(fault)
    if (out.length === most) break
  }
  return out
}
