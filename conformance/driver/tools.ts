import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect as tlsConnect, type TLSSocket } from 'node:tls'
import type { Action, RunContext } from '#conformance/runner.js'
import type { TlsIdentity } from '#conformance/driver/http.js'
import { httpRequest } from '#conformance/driver/http.js'
import { isPin, sfdiOf } from '#certs/lfdi.js'

/** `wait {ms}`: for what the standard gives a time. */
export const wait: Action = async (args) => { await new Promise((wake) => setTimeout(wake, Number(args.ms))); return { waited_ms: args.ms } }

/** `value {…}`: gives back what it was given, so that saved values can be compared with each other. */
export const value: Action = async (args) => ({ ...args })

/** `sfdi {lfdi}` → `{sfdi}`; `pin {pin}` → `{valid}`: the arithmetic of SEP-060 and SEP-066. */
export const sfdi: Action = async (args) => ({ sfdi: String(sfdiOf(String(args.lfdi))) })
export const pin: Action = async (args) => ({ valid: isPin(Number(args.pin)) })

/** `lists.compare {left, right}` → `{same, sameSet, onlyLeft, onlyRight}`. */
export const compare: Action = async (args) => {
  const left = (args.left as unknown[]).map(String), right = (args.right as unknown[]).map(String)
  return { same: JSON.stringify(left) === JSON.stringify(right), onlyLeft: left.filter((x) => !right.includes(x)), onlyRight: right.filter((x) => !left.includes(x)) }
}

/** `tls.connect {url?, as?, minVersion?, maxVersion?, ciphers?}` → `{connected, protocol, cipher, alert}`; a peer that closes before it says a word counts as not connected. */
export const tls: Action = async (args, context) => {
  const identity = (context.target.values['identities'] as Record<string, TlsIdentity> | undefined)?.[String(args.as ?? 'default')] ?? {}
  const url = new URL(String(args.url ?? context.target.url))
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const socket: TLSSocket = tlsConnect({
    host, port: Number(url.port || 443), ...(isIP(host) ? {} : { servername: host }), rejectUnauthorized: false,
    ...(identity.ca ? { ca: identity.ca } : {}), ...(identity.cert ? { cert: identity.cert, key: identity.key } : {}),
    ...(args.minVersion ? { minVersion: args.minVersion as 'TLSv1.2' } : {}), ...(args.maxVersion ? { maxVersion: args.maxVersion as 'TLSv1.2' } : {}),
    ...(args.ciphers ?? identity.ciphers ? { ciphers: String(args.ciphers ?? identity.ciphers) } : {}),
  })
  context.onEnd(() => { socket.destroy() })
  return new Promise((resolve) => {
    let heard: { protocol: string | null; cipher: string; curve?: unknown } | undefined
    const refused = (why: string): void => resolve({ connected: false, alert: why, ...(heard ? { handshake: heard } : {}) })
    socket.setTimeout(8000, () => { socket.destroy(); refused('time-out') })
    socket.on('error', (error) => refused((error as NodeJS.ErrnoException).code ?? error.message))
    socket.on('close', () => refused('closed'))
    socket.on('secureConnect', () => {
      heard = { protocol: socket.getProtocol(), cipher: socket.getCipher().standardName ?? socket.getCipher().name, curve: (socket.getEphemeralKeyInfo() as { name?: string } | null)?.name }
      const certificate = socket.getPeerX509Certificate()
      // A server that refuses after the handshake (SEP-005) closes now; one that stays quiet is open.
      setTimeout(() => { resolve({ connected: true, ...heard, certificate: certificate ? certificateView(certificate, host) : undefined }); socket.destroy() }, 150)
    })
  })
}

const certificateView = (certificate: X509Certificate, host: string): object => ({
  subject: certificate.subject ?? '', organization: /^O=(.+)$/m.exec(certificate.subject ?? '')?.[1], serial: certificate.serialNumber, namesHost: (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined,
  ec: certificate.publicKey.asymmetricKeyDetails?.namedCurve, bits: certificate.publicKey.asymmetricKeyDetails?.modulusLength, type: certificate.publicKey.asymmetricKeyType,
})

const running = new WeakMap<RunContext, Map<string, Promise<Readonly<Record<string, unknown>>>>>()

/** `operator.request {method, path, json?|text?, type?}`: the target's own API for operators, an adapter that a target may declare. With `later` it goes on beside the next steps. */
export const operator: Action = async (args, context) => {
  const { values } = context.target
  const work = httpRequest({
    ...args, as: 'operator', url: `${String(values['operator'])}/api/v1${String(args.path)}`,
    headers: { authorization: `Bearer ${String(values['operatorToken'])}`, ...(args.type ? { 'content-type': args.type } : {}), ...(args.headers as object | undefined) },
  }, context)
  if (args.later === undefined) return work
  const known = running.get(context) ?? new Map<string, Promise<Readonly<Record<string, unknown>>>>()
  running.set(context, known.set(String(args.later), work))
  return { started: true }
}

/** `operator.result {of}`: the answer of what `later` began. */
export const operatorResult: Action = async (args, context) => {
  const work = running.get(context)?.get(String(args.of))
  if (!work) throw new Error(`nothing was begun as '${String(args.of)}'`)
  return work
}
