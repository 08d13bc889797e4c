import type { Report } from '#conformance/procedure.js'

const secretName = /secret|password|authorization|token|private|api[-_]?key/i
/** Secrets inside texts: keys, schemes, members of JSON (also where it stands escaped in a text) and of forms. */
const inText: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, '[private key]'],
  [/\b(Bearer|Basic) (?!realm=)[A-Za-z0-9._~+/=-]+/g, '$1 [secret]'],
  [/("(?:[a-z_]*secret|[a-z]*password|(?:access|refresh|bearer)_?token)\\?"\s*:\s*\\?")[^"\\]+/gi, '$1[secret]'],
  [/\b((?:client_secret|password|access_token)=)[^&\s"']+/gi, '$1[secret]'],
]

/** The same value with what is secret by name or by its form taken out, and what `secrets` lists replaced wherever it stands. */
export function withoutSecrets(value: unknown, secrets: readonly string[] = []): unknown {
  if (typeof value === 'string') return secrets.reduce((text, secret) => (secret.length >= 4 ? text.replaceAll(secret, '[secret]') : text), inText.reduce((text, [form, instead]) => text.replace(form, instead), value))
  if (Array.isArray(value)) return value.map((one) => withoutSecrets(one, secrets))
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, secretName.test(k) ? masked(v, secrets) : withoutSecrets(v, secrets)]))
  return value
}

const masked = (value: unknown, secrets: readonly string[]): unknown => (typeof value !== 'object' ? '[secret]' : Array.isArray(value) ? value.map((one) => masked(one, secrets)) : withoutSecrets(value, secrets))

/** What stands in a target's values under the name of a secret, lists and all: it must not come out in any other place either. */
export function secretsIn(value: unknown, named = false): string[] {
  if (typeof value === 'string') return named ? [value] : []
  if (Array.isArray(value)) return value.flatMap((one) => secretsIn(one, named))
  return typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([k, v]) => secretsIn(v, secretName.test(k) && (typeof v === 'string' || Array.isArray(v)))) : []
}

/** A report that may leave the machine: details and exchanges without secrets. Every output is made from it. */
export const shown = (report: Report, secrets: readonly string[]): Report => ({
  ...report, results: report.results.map((r) => ({ ...r, detail: String(withoutSecrets(r.detail, secrets)), exchanges: withoutSecrets(r.exchanges, secrets) as typeof r.exchanges })),
})

/** Everything that went over the wire in order of time, across procedures: a line for what was sent and one for what came, cut where they are long. */
function logOf(report: Report): string[] {
  const begun = Date.parse(report.startedAt), cut = (value: unknown): string => (JSON.stringify(value) ?? '').slice(0, 400)
  const all = report.results.flatMap(({ id, exchanges }) => exchanges.map((exchange) => ({ id, at_ms: exchange.at_ms ?? 0, ...exchange })))
  return all.toSorted((a, b) => a.at_ms - b.at_ms).flatMap(({ id, at_ms, sent, got }) => {
    const head = `${new Date(begun + at_ms).toISOString()} ${id}`
    return [`${head} > ${cut(sent)}`, `${head} < ${cut(got)}`]
  })
}

/** One file by which a third party can judge: versions, configuration without secrets, every exchange by procedure and by time (UX-041). */
export const evidence = (report: Report, about: { versions: Readonly<Record<string, string>>; config: unknown; secrets: readonly string[] }): object => ({
  form: 'loadstone-evidence/1', versions: about.versions, config: withoutSecrets(about.config, about.secrets), report: shown(report, about.secrets), log: logOf(shown(report, about.secrets)),
})
