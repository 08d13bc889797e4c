import { isRefusal, Refusal } from '#core/error.js'
import { lfdiOf, sfdiOf, sfdiText } from '#certs/lfdi.js'
import { checkDeviceCertificate } from '#certs/profile/device.js'
import type { DeviceCheck } from '#certs/profile/device.js'
import { isoOf } from '#certs/profile/rule.js'
import type { Failure } from '#certs/profile/rule.js'
import { requestFailures } from '#certs/profile/request-rules.js'
import { hardwareModuleName, hwSerialText, nameText, policies, readCertificate, readRequest } from '#certs/x509/certificate.js'
import type { KeyView, RequestView } from '#certs/x509/certificate.js'
import { readDer, Tag } from '#certs/x509/der.js'
import { Oid } from '#certs/x509/oid.js'
import { certificatesFrom, fromPem } from '#certs/x509/pem.js'

/** What a certificate says, and whether the 2030.5 door would take it (UX J3: see exactly why it was refused). */
export interface Explanation {
  readonly verdict: 'accepted' | 'refused'
  /** A certificate has them; a request has no name yet. */
  readonly lfdi?: string
  readonly sfdi?: string
  readonly request?: { readonly subject: string; readonly key: string; readonly hwType: string | null; readonly hwSerialNum: string | null }
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

/**
 * `input`: PEM or DER, leaf first; what follows the leaf counts as sent along with it. A certificate request is explained too: the
 * rules that an EST door holds it to whoever sends it (SEP-224).
 */
export function explainCertificate(input: string | Uint8Array, check: DeviceCheck): Explanation {
  const request = requestIn(input)
  if (request) return explainRequest(request)
  const [leaf, ...sent] = certificatesFrom(input)
  if (!leaf) throw new Refusal('invalid', 'there is no certificate in the input')
  const verdict = checkDeviceCertificate(leaf, { ...check, sent: [...sent, ...check.sent ?? []] })
  const lfdi = lfdiOf(leaf), seen = describe(leaf)
  return { verdict: verdict.ok ? 'accepted' : 'refused', lfdi, sfdi: sfdiText(sfdiOf(lfdi)), ...(seen ? { certificate: seen } : {}), failures: verdict.ok ? [] : verdict.failures }
}

/** A request in PEM, in the bare base64 that EST takes, or DER; what is no PEM begins as one: a version, a name, a key and attributes. */
function requestIn(input: string | Uint8Array): Buffer | undefined {
  const text = typeof input === 'string' ? input : Buffer.from(input).toString('latin1')
  const [found] = fromPem('(?:NEW )?CERTIFICATE REQUEST', text)
  if (found) return found
  const der = /^[A-Za-z0-9+/=\s]+$/.test(text) ? Buffer.from(text, 'base64') : Buffer.from(text, 'latin1')
  try {
    const info = readDer(der).children[0]?.children ?? []
    return info[0]?.tag === Tag.integer && info[1]?.tag === Tag.sequence && info[2]?.tag === Tag.sequence && (info.length === 3 || info[3]?.tag === 0xa0) && info.length <= 4 ? der : undefined
  } catch { return undefined }
}

function explainRequest(der: Buffer): Explanation {
  let view: RequestView
  try { view = readRequest(der) } catch (error) {
    if (!isRefusal(error)) throw error
    return { verdict: 'refused', failures: [{ rule: 'malformed', clause: 'RFC 2986 §4; SEC-027', sentence: `the request cannot be read: ${error.message}`, remedy: 'Send one PKCS#10 request, strictly encoded, without bytes after it.' }] }
  }
  const failures = requestFailures(view), name = hardwareModuleName(view)
  return {
    verdict: failures.length === 0 ? 'accepted' : 'refused', failures,
    request: { subject: view.subject.empty ? '(empty)' : nameText(view.subject), key: keyText(view.key), hwType: name?.hwType ?? null, hwSerialNum: name ? hwSerialText(name) : null },
  }
}

const keyText = (key: KeyView): string => key.algorithm === Oid.rsaEncryption ? 'RSA' : key.curve === Oid.prime256v1 ? 'EC P-256' : `EC ${key.curve ?? key.algorithm}`

function describe(der: Buffer): Explanation['certificate'] {
  try {
    const view = readCertificate(der), name = hardwareModuleName(view)
    return {
      serial: view.serial, subject: view.subject.empty ? '(empty)' : nameText(view.subject), issuer: nameText(view.issuer),
      notBefore: isoOf(view.notBeforeMs), notAfter: isoOf(view.notAfterMs),
      key: keyText(view.key),
      hwType: name?.hwType ?? null, hwSerialNum: name ? hwSerialText(name) : null, policies: policies(view),
    }
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}

/** The same for a terminal. */
export function explanationText(e: Explanation): string {
  const c = e.certificate, r = e.request
  const hardware = (of: { hwSerialNum: string | null; hwType: string | null }): string => `hardware    ${of.hwSerialNum === null ? 'none' : `${of.hwSerialNum} (type ${of.hwType})`}`
  const lines = [...(r ? ['a certificate request', `subject     ${r.subject}`, `key         ${r.key}`, hardware(r)] : e.lfdi === undefined ? [] : [`LFDI        ${e.lfdi}`, `SFDI        ${e.sfdi}`]), ...(c ? [
    `serial      ${c.serial}`, `subject     ${c.subject}`, `issuer      ${c.issuer}`, `valid       ${c.notBefore} … ${c.notAfter}`, `key         ${c.key}`,
    hardware(c), `policies    ${c.policies.join(', ') || 'none'}`,
  ] : []), '', e.verdict === 'accepted' ? `accepted: it fulfils every rule of ${r ? 'a request' : 'the profile'}` : `refused: ${e.failures.length} rule${e.failures.length === 1 ? '' : 's'} failed`]
  for (const f of e.failures) lines.push('', `  ${f.rule}   [${f.clause}]`, `    ${f.sentence}`, `    What to do: ${f.remedy}`)
  return `${lines.join('\n')}\n`
}
