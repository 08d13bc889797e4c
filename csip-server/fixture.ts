import { randomBytes } from 'node:crypto'
import https from 'node:https'
import type { IncomingHttpHeaders } from 'node:http'
import { createIntermediate, createSerca, issueDevice, indefinite, serialFrom, tlsIdentity, type Authority } from '#certs/authority.js'
import { lfdiOf, sfdiOf } from '#certs/lfdi.js'
import { certificatePem } from '#certs/x509/pem.js'
import { keySigner, newEcKey, spkiOf } from '#certs/x509/signer.js'
import { checkDeviceCertificate, hardwareIn } from '#certs/profile/device.js'
import { trustOf } from '#certs/profile/trust.js'
import type { Availability } from '#core/availability/availability.js'
import type { Happening } from '#core/dispatch/delivery.js'
import type { Clock } from '#core/port/clock.js'
import { randomIds } from '#core/port/ids.js'
import { silent } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { Resource } from '#core/program/resource.js'
import type { ReadingInput } from '#core/reading/reading.js'
import { csipConfig, type CsipConfig } from '#csip-server/config.js'
import type { CsipIntake } from '#csip-server/context.js'
import type { LeafVerdict } from '#csip-server/listener.js'
import { buildCsip, type Csip } from '#csip-server/server.js'

/** A little PKI and a server for the tests of this room; nothing of it is stored. */
export interface Identity {
  readonly key: string
  readonly cert: string
  readonly der: Buffer
  readonly lfdi: string
  readonly sfdi: number
}

export interface Pki {
  readonly serca: string
  readonly mica: Authority
  readonly server: Identity
  device(serial: string): Promise<Identity>
}

const hwType = '1.3.6.1.4.1.32473.1'

/** Valid from an instant that both the machine's and the test's clock have passed. */
export async function makePki(nowMs = Date.UTC(2020, 0, 1)): Promise<Pki> {
  const serial = (): string => serialFrom(randomBytes(16).toString('hex'))
  const validity = { fromMs: nowMs, toMs: indefinite }
  const root = await createSerca({ serial: serial(), subject: [{ CN: ['Test SERCA'] }], validity }, keySigner(newEcKey()))
  const mica = await createIntermediate('MICA', root, { serial: serial(), subject: [{ CN: ['Test MICA'] }], validity }, keySigner(newEcKey()))
  const device = async (hwSerialNum: string): Promise<Identity> => {
    const key = newEcKey()
    const der = await issueDevice(mica, { serial: serial(), publicKey: spkiOf(key), hwType, hwSerialNum, validity })
    return { ...tlsIdentity(mica, key, der), der, lfdi: lfdiOf(der), sfdi: sfdiOf(lfdiOf(der)) }
  }
  return { serca: certificatePem(root.certificate), mica, server: await device('server'), device }
}

/** Core's doors, remembering what they were told. */
export interface Heard extends CsipIntake {
  readonly rows: ReadingInput[]
  readonly happened: Happening[]
  readonly declared: Availability[]
  readonly known: Map<string, Pick<Resource, 'id' | 'servicePoint'>>
}

export function hear(): Heard {
  const rows: ReadingInput[] = [], happened: Happening[] = [], declared: Availability[] = [], known = new Map<string, Pick<Resource, 'id' | 'servicePoint'>>()
  return {
    rows, happened, declared, known,
    readings: { record: async (_caller, more) => { rows.push(...more); return { accepted: more.length, duplicates: 0, corrected: 0 } } },
    happenings: { happened: async (more) => { happened.push(...more) } },
    availability: { declare: async (_caller, more) => { declared.push(...more) } },
    optOuts: { optOut: async () => {} },
    directory: { byRemote: async (_tenant, _protocol, id) => known.get(id) as Resource | undefined },
  }
}

export interface ServerUnderTest {
  readonly csip: Csip
  readonly heard: Heard
  readonly revoked: Set<string>
  close(): Promise<void>
}

export function serverUnderTest(needs: { pki: Pki; documents: DocumentStore; tenant: string; clock: Clock; config?: Partial<CsipConfig>; heard?: Heard; verdict?: () => LeafVerdict }): ServerUnderTest {
  const heard = needs.heard ?? hear(), revoked = new Set<string>()
  const trust = trustOf(needs.pki.serca, certificatePem(needs.pki.mica.certificate))
  const config = { ...csipConfig(), rateLimit: null, ...needs.config }
  const csip = buildCsip({
    tenant: needs.tenant, documents: needs.documents, intake: heard, clock: needs.clock, ids: randomIds(() => needs.clock.nowMs()), log: silent, config,
    tls: { key: needs.pki.server.key, cert: needs.pki.server.cert, ca: [needs.pki.serca, certificatePem(needs.pki.mica.certificate)] },
    checkLeaf(der, chain) {
      if (needs.verdict) return needs.verdict()
      const verdict = checkDeviceCertificate(der, { profile: config.profile, trust, nowMs: needs.clock.nowMs(), sent: chain })
      return verdict.ok ? { ok: true, issuers: verdict.issuers, hardware: hardwareIn(verdict) } : { ok: false, reason: verdict.failures.map((f) => f.rule).join(', ') }
    },
    isRevoked: (lfdi) => revoked.has(lfdi),
  })
  return { csip, heard, revoked, close: () => csip.close() }
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A device on the network: one kept-alive CCM_8 connection. */
export class Device {
  readonly agent: https.Agent
  constructor(readonly identity: Pick<Identity, 'key' | 'cert'>, readonly port: number, readonly ca: string, more: https.AgentOptions = {}) {
    this.agent = new https.Agent({
      keepAlive: true, maxSockets: 1, ...identity, ca, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', ecdhCurve: 'prime256v1', checkServerIdentity: () => undefined, ...more,
    })
  }

  ask(method: string, path: string, xml?: string | Buffer, headers: Record<string, string> = {}): Promise<Reply> {
    return new Promise((done, failed) => {
      const body = xml === undefined ? undefined : Buffer.from(xml as string)
      const req = https.request({
        host: '127.0.0.1', port: this.port, method, path, agent: this.agent,
        headers: { ...(body ? { 'Content-Type': 'application/sep+xml', 'Content-Length': body.length } : {}), ...headers },
      }, (res) => {
        const parts: Buffer[] = []
        res.on('data', (p: Buffer) => parts.push(p))
        res.on('end', () => done({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(parts).toString() }))
        res.on('error', failed)
      })
      req.on('error', failed)
      req.end(body)
    })
  }

  get = (path: string): Promise<Reply> => this.ask('GET', path)
  close(): void { this.agent.destroy() }
}

/** The text of the first element of this name. */
export const textOf = (xml: string, name: string): string | undefined => new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([^<]*)<`).exec(xml)?.[1]
/** An attribute of the first element of this name. */
export const attributeOf = (xml: string, name: string, attribute: string): string | undefined =>
  new RegExp(`<(?:\\w+:)?${name}\\s[^>]*?\\b${attribute}="([^"]*)"`).exec(xml)?.[1]

export const sep = (name: string, inner: string): string => `<${name} xmlns="urn:ieee:std:2030.5:ns">${inner}</${name}>`
