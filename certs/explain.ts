import { isRefusal, Refusal } from '#core/error.js'
import { lfdiOf, sfdiOf, sfdiText } from '#certs/lfdi.js'
import { checkDeviceCertificate } from '#certs/profile/device.js'
import type { DeviceCheck } from '#certs/profile/device.js'
import { isoOf } from '#certs/profile/rule.js'
import type { Failure } from '#certs/profile/rule.js'
import { hardwareModuleName, hwSerialText, nameText, policies, readCertificate } from '#certs/x509/certificate.js'
import { Oid } from '#certs/x509/oid.js'
import { certificatesFrom } from '#certs/x509/pem.js'

/** What a certificate says, and whether the 2030.5 door would take it (UX J3: see exactly why it was refused). */
export interface Explanation {
  readonly verdict: 'accepted' | 'refused'
  readonly lfdi: string
  readonly sfdi: string
  readonly certificate?: {
    readonly serial: string
    readonly subject: string
    readonly issuer: string
    readonly notBefore: string
    readonly notAfter: string
    readonly key: string
    readonly hwType: string | null
    readonly hwSerialNum: string | null
    readonly policies: readonly string[]
  }
  readonly failures: readonly Failure[]
}

/** `input`: PEM or DER, leaf first; what follows the leaf counts as sent along with it. */
export function explainCertificate(input: string | Uint8Array, check: DeviceCheck): Explanation {
  const [leaf, ...sent] = certificatesFrom(input)
  if (!leaf) throw new Refusal('invalid', 'there is no certificate in the input')
  const verdict = checkDeviceCertificate(leaf, { ...check, sent: [...sent, ...check.sent ?? []] })
  const lfdi = lfdiOf(leaf), seen = describe(leaf)
  return { verdict: verdict.ok ? 'accepted' : 'refused', lfdi, sfdi: sfdiText(sfdiOf(lfdi)), ...(seen ? { certificate: seen } : {}), failures: verdict.ok ? [] : verdict.failures }
}

function describe(der: Buffer): Explanation['certificate'] {
  try {
    const view = readCertificate(der), name = hardwareModuleName(view)
    return {
      serial: view.serial, subject: view.subject.empty ? '(empty)' : nameText(view.subject), issuer: nameText(view.issuer),
      notBefore: isoOf(view.notBeforeMs), notAfter: isoOf(view.notAfterMs),
      key: view.key.algorithm === Oid.rsaEncryption ? 'RSA' : view.key.curve === Oid.prime256v1 ? 'EC P-256' : `EC ${view.key.curve ?? view.key.algorithm}`,
      hwType: name?.hwType ?? null, hwSerialNum: name ? hwSerialText(name) : null, policies: policies(view),
    }
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}

/** The same for a terminal. */
export function explanationText(e: Explanation): string {
  const c = e.certificate
  const lines = [`LFDI        ${e.lfdi}`, `SFDI        ${e.sfdi}`, ...(c ? [
    `serial      ${c.serial}`, `subject     ${c.subject}`, `issuer      ${c.issuer}`, `valid       ${c.notBefore} … ${c.notAfter}`, `key         ${c.key}`,
    `hardware    ${c.hwSerialNum === null ? 'none' : `${c.hwSerialNum} (type ${c.hwType})`}`, `policies    ${c.policies.join(', ') || 'none'}`,
  ] : []), '', e.verdict === 'accepted' ? 'accepted: it fulfils every rule of the profile' : `refused: ${e.failures.length} rule${e.failures.length === 1 ? '' : 's'} failed`]
  for (const f of e.failures) lines.push('', `  ${f.rule}   [${f.clause}]`, `    ${f.sentence}`, `    What to do: ${f.remedy}`)
  return `${lines.join('\n')}\n`
}
