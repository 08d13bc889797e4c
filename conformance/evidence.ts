import type { Report } from '#conformance/procedure.js'

const secretName = /secret|password|authorization|token|private|api[-_]?key/i

/** The same value with what is secret by name taken out, and what `secrets` lists replaced wherever it stands. */
export function withoutSecrets(value: unknown, secrets: readonly string[] = []): unknown {
  if (typeof value === 'string') return secrets.reduce((text, secret) => (secret.length >= 4 ? text.replaceAll(secret, '[secret]') : text), value.replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, '[private key]').replace(/\b(Bearer|Basic) [A-Za-z0-9._~+/=-]+/g, '$1 [secret]'))
  if (Array.isArray(value)) return value.map((one) => withoutSecrets(one, secrets))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, secretName.test(k) && typeof v !== 'object' ? '[secret]' : withoutSecrets(v, secrets)]))
  }
  return value
}

/** One file by which a third party can judge: versions, configuration without secrets, every exchange (UX-041). */
export const evidence = (report: Report, about: { versions: Readonly<Record<string, string>>; config: unknown; secrets: readonly string[] }): object => ({
  form: 'loadstone-evidence/1', versions: about.versions, config: withoutSecrets(about.config, about.secrets), report: withoutSecrets(report, about.secrets),
})
