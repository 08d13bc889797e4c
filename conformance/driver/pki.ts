import { createHash, generateKeyPairSync, createPrivateKey, sign, type KeyObject } from 'node:crypto'
import type { Action, RunContext } from '#conformance/runner.js'
import type { TlsIdentity } from '#conformance/driver/http.js'
import { httpRequest } from '#conformance/driver/http.js'
import { lfdiOf, sfdiOf } from '#certs/lfdi.js'
import { certificatePem, certificatesFrom } from '#certs/x509/pem.js'
import { hardwareModuleName, hwSerialText, keyUsage, policies, readCertificate, subjectKeyIdentifier, altNames, type Extension } from '#certs/x509/certificate.js'
import { certificatesOf } from '#certs/x509/pkcs7.js'
import { authorityKeyIdentifierExtension, basicConstraintsExtension, extKeyUsageExtension, hardwareModuleNameExtension, hostNamesExtension, keyIdentifierOf, keyUsageExtension, policiesExtension } from '#certs/x509/extensions.js'
import { signCertificate } from '#certs/x509/issue.js'
import { deviceRequest, makeRequest } from '#certs/x509/request.js'
import { keySigner, spkiOf } from '#certs/x509/signer.js'

const forEver = Date.UTC(9999, 11, 31, 23, 59, 59)
const hwType = '1.3.6.1.4.1.40732.9.1'
const generic = '1.3.6.1.4.1.40732.1.1'

/** One thing wrong with a leaf, by name; everything else is as SEP-202 wants it. */
interface Leaf { readonly key: KeyObject; readonly notBeforeMs: number; readonly notAfterMs: number; readonly extensions: readonly Extension[]; readonly subject?: readonly Readonly<Record<string, readonly string[]>>[] }
type Change = (leaf: Leaf, nowMs: number) => Leaf

const without = (leaf: Leaf, oid: string): readonly Extension[] => leaf.extensions.filter((e) => e.oid !== oid)
const oids = { keyUsage: '2.5.29.15', san: '2.5.29.17', policies: '2.5.29.32' }
const day = 86_400_000

export const changes: Readonly<Record<string, Change>> = {
  good: (leaf) => leaf,
  expired: (leaf, now) => ({ ...leaf, notBeforeMs: now - 10 * day, notAfterMs: now - day }),
  future: (leaf, now) => ({ ...leaf, notBeforeMs: now + day }),
  rsa: (leaf) => ({ ...leaf, key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }),
  p384: (leaf) => ({ ...leaf, key: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey }),
  'no-san': (leaf) => ({ ...leaf, extensions: without(leaf, oids.san) }),
  'san-not-critical': (leaf) => ({ ...leaf, extensions: [...without(leaf, oids.san), hardwareModuleNameExtension(hwType, Buffer.from('X1'), false)] }),
  'dns-san': (leaf) => ({ ...leaf, extensions: [...without(leaf, oids.san), hostNamesExtension(['device.example'])] }),
  subject: (leaf) => ({ ...leaf, subject: [{ CN: ['a device'] }] }),
  'no-policy': (leaf) => ({ ...leaf, extensions: without(leaf, oids.policies) }),
  'foreign-policy': (leaf) => ({ ...leaf, extensions: [...without(leaf, oids.policies), policiesExtension(['1.2.3.4'])] }),
  'test-policy': (leaf) => ({ ...leaf, extensions: [...without(leaf, oids.policies), policiesExtension([generic, '1.3.6.1.4.1.40732.2.1'])] }),
  'self-signed': (leaf) => ({ ...leaf, extensions: [...without(leaf, oids.policies), policiesExtension([generic, '1.3.6.1.4.1.40732.2.2'])] }),
  'sign-only': (leaf) => ({ ...leaf, extensions: [...without(leaf, oids.keyUsage), keyUsageExtension('digitalSignature')] }),
  'agree-only': (leaf) => ({ ...leaf, extensions: [...without(leaf, oids.keyUsage), keyUsageExtension('keyAgreement')] }),
  ca: (leaf) => ({ ...leaf, extensions: [...leaf.extensions, basicConstraintsExtension(0)] }),
  'server-only': (leaf) => ({ ...leaf, extensions: [...leaf.extensions, extKeyUsageExtension('1.3.6.1.5.5.7.3.1')] }),
  'unknown-critical': (leaf) => ({ ...leaf, extensions: [...leaf.extensions, { oid: '1.2.3.4.5', critical: true, value: Buffer.from([5, 0]) }] }),
  finite: (leaf, now) => ({ ...leaf, notAfterMs: now + 365 * day }),
}

/**
 * `pki.leaf {as, kind, issuer?: 'mica'|'stranger', serial?}` → `{lfdi, sfdi}` and an identity `as` for later steps: a 2030.5 device certificate from the
 * target's test MICA (value `micaPem`, `micaKey`) with one thing wrong.
 */
export const leaf: Action = async (args, context) => {
  const change = changes[String(args.kind ?? 'good')]
  if (!change) throw new Error(`no kind of leaf '${String(args.kind)}'`)
  const stranger = args.issuer === 'stranger' || args.kind === 'self-signed'
  const caKey = stranger ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey : createPrivateKey(String(context.target.values['micaKey']))
  const [micaDer] = certificatesFrom(String(context.target.values['micaPem']))
  const mica = readCertificate(micaDer as Buffer)
  const now = context.nowMs()
  const serial = String(args.serial ?? `${context.variables.get('run') as string}-${String(args.as)}`).slice(-30)
  const plan = change({
    key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, notBeforeMs: now - day, notAfterMs: forEver,
    extensions: [
      authorityKeyIdentifierExtension(stranger ? keyIdentifierOf(spkiOf(caKey)) : Buffer.from(subjectKeyIdentifier(mica) ?? '', 'hex')),
      keyUsageExtension('digitalSignature', 'keyAgreement'), policiesExtension([generic]), hardwareModuleNameExtension(hwType, Buffer.from(serial)),
    ],
  }, now)
  const own = args.kind === 'self-signed'
  const der = await signCertificate({
    serial: createHash('sha256').update(`${serial}${now}`).digest('hex').slice(0, 32).replace(/^./, '1'), issuer: own ? Buffer.from([0x30, 0]) : mica.subject.raw, ...(plan.subject ? { subject: plan.subject } : {}),
    notBeforeMs: plan.notBeforeMs, notAfterMs: plan.notAfterMs, publicKey: spkiOf(plan.key), extensions: plan.extensions,
  }, keySigner(own ? plan.key : caKey))
  const identities = context.target.values['identities'] as Record<string, TlsIdentity>
  const base = identities['none'] ?? {}
  identities[String(args.as)] = { ...base, cert: `${certificatePem(der)}${stranger || args.alone ? '' : String(context.target.values['micaPem'])}`, key: plan.key.export({ type: 'pkcs8', format: 'pem' }) as string }
  return { lfdi: lfdiOf(der), sfdi: String(sfdiOf(lfdiOf(der))) }
}

/** Key and certificate of a host on this machine, signed by nobody but itself. */
export async function hostCertificate(nowMs: number): Promise<{ key: string; cert: string }> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' }), subject = [{ CN: ['localhost'] }]
  const der = await signCertificate({ serial: '11', subject, notBeforeMs: nowMs - day, notAfterMs: nowMs + day, publicKey: spkiOf(privateKey), extensions: [hostNamesExtension(['localhost', '127.0.0.1'])] }, keySigner(privateKey))
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, cert: certificatePem(der) }
}

/** `pki.station {as, cn, o?, ca?}`: a station certificate (OCPP-028) of the CA whose PEM and key stand in the values `<ca>Pem` and `<ca>Key`, or of a stranger. */
export const station: Action = async (args, context) => {
  const { values } = context.target
  const caKey = args.ca ? createPrivateKey(String(values[`${String(args.ca)}Key`])) : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const [caDer] = args.ca ? certificatesFrom(String(values[`${String(args.ca)}Pem`])) : []
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const now = context.nowMs()
  const subject: readonly Readonly<Record<string, readonly string[]>>[] = [{ O: [String(args.o ?? 'Stranger')] }, { CN: [String(args.cn)] }]
  const der = await signCertificate({
    serial: createHash('sha256').update(`${String(args.cn)}${now}`).digest('hex').slice(0, 32).replace(/^./, '1'), ...(caDer ? { issuer: readCertificate(caDer).subject.raw } : {}), subject,
    notBeforeMs: now - day, notAfterMs: now + 30 * day, publicKey: spkiOf(key), extensions: [keyUsageExtension('digitalSignature', 'keyAgreement'), authorityKeyIdentifierExtension(keyIdentifierOf(spkiOf(caKey)))],
  }, keySigner(caKey))
  const identities = values['identities'] as Record<string, TlsIdentity>
  identities[String(args.as)] = { ...identities['default'], cert: certificatePem(der), key: key.export({ type: 'pkcs8', format: 'pem' }) as string }
  return { made: true }
}

/** Certificate requests by kind; `hwSerialNum` names the device. */
async function requestOf(kind: string, key: KeyObject, serial: string, pen: unknown): Promise<Buffer> {
  const name = { hwType: `1.3.6.1.4.1.${String(pen ?? 40732)}.1`, hwSerialNum: serial }
  const der = await (kind === 'other-serial' ? deviceRequest(key, { ...name, hwSerialNum: `${serial}X` }) : kind === 'no-name' ? makeRequest(key, {}) : deviceRequest(key, name))
  if (kind === 'bad-signature') { const bad = Buffer.from(der); bad[bad.length - 3] = (bad[bad.length - 3] as number) ^ 0xff; return bad }
  return der
}

const keysOf = new WeakMap<RunContext, Map<string, KeyObject>>()

/**
 * `est.enroll {path, kind?, key?, serial, user?, password?, as?, identity?, coding?, type?}` → http outcome and `{certificates: [{lfdi, serial, policies, usage, subject, hwSerial}]}`.
 * `key` names a key that later steps use again; `identity` keeps the issued certificate under that name.
 */
export const enroll: Action = async (args, context) => {
  const keys = keysOf.get(context) ?? new Map<string, KeyObject>()
  keysOf.set(context, keys)
  const kind = String(args.kind ?? 'good'), keyName = String(args.key ?? 'key')
  const key = keys.get(keyName) ?? (kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey : kind === 'p384' ? generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
  keys.set(keyName, key)
  const der = kind === 'garbage' ? Buffer.from('this is no request') : kind === 'p384' ? await p384Request(key) : await requestOf(kind, key, String(args.serial), context.target.values['pen'])
  const coding = String(args.coding ?? 'line')
  const text = coding === 'wrapped' ? (der.toString('base64').match(/.{1,64}/g) ?? []).join('\r\n') : kind === 'not-base64' ? '!!!! not base64 !!!!' : der.toString('base64')
  const outcome = await httpRequest({
    method: 'POST', path: args.path, as: args.as ?? 'default', text,
    headers: {
      'content-type': String(args.type ?? 'application/pkcs10'), ...(args.encoding === false ? {} : { 'content-transfer-encoding': 'base64' }),
      ...(args.password === undefined ? {} : { authorization: `Basic ${Buffer.from(`${String(args.user ?? args.serial)}:${String(args.password)}`).toString('base64')}` }),
    },
  }, context)
  if (outcome.status !== 200) return outcome
  const certificates = readable(String(outcome.text))
  if (!certificates) return { ...outcome, unreadable: true }
  const first = certificates[0]
  if (args.identity && first) {
    const identities = context.target.values['identities'] as Record<string, TlsIdentity>
    identities[String(args.identity)] = { ...identities['default'], cert: certificatePem(first), key: key.export({ type: 'pkcs8', format: 'pem' }) as string }
  }
  return { ...outcome, certificates: certificates.map(viewOf), sameKey: first ? spkiOf(key).equals(readCertificate(first).key.spki) : false }
}

/** A P-384 request with an honest signature over it, made by hand: no library of ours makes one. */
async function p384Request(key: KeyObject): Promise<Buffer> {
  const { bitString, explicit, integer, oid, sequence } = await import('#certs/x509/der.js')
  const info = sequence(integer(0), sequence(), spkiOf(key), explicit(0))
  return sequence(info, sequence(oid('1.2.840.10045.4.3.3')), bitString(sign('sha384', info, key)))
}

/** `est.certs {path}`: GET of cacerts → http outcome and `{certificates}`. */
export const certs: Action = async (args, context) => {
  const outcome = await httpRequest({ ...args, method: 'GET' }, context)
  const certificates = outcome.status === 200 ? readable(String(outcome.text)) : undefined
  return certificates ? { ...outcome, certificates: certificates.map(viewOf) } : outcome
}

/** The certificates of a certs-only answer; undefined when it is none. */
function readable(base64: string): Buffer[] | undefined {
  try { return certificatesOf(Buffer.from(base64, 'base64')) } catch { return undefined }
}

function viewOf(der: Buffer): object {
  const view = readCertificate(der), hardware = hardwareModuleName(view)
  return {
    lfdi: lfdiOf(der), policies: policies(view), usage: [...(keyUsage(view) ?? [])], subjectEmpty: view.subject.empty, notAfter: new Date(view.notAfterMs).toISOString(),
    selfSigned: JSON.stringify(view.subject.attributes) === JSON.stringify(view.issuer.attributes), critical: view.extensions.filter((e) => e.critical).map((e) => e.oid),
    hwSerial: hardware ? hwSerialText(hardware) : undefined, names: altNames(view).length, serialBits: view.serial.length * 4,
  }
}
