import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Caller } from '#core/caller.js'
import { Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import type { Enrolment } from '#certs/enrol.js'
import { explainCertificate } from '#certs/explain.js'
import { isLfdi, pinText, sfdiOf, sfdiText } from '#certs/lfdi.js'
import type { DoorProfile } from '#certs/profile/device.js'
import { isoOf } from '#certs/profile/rule.js'
import type { Trust } from '#certs/profile/trust.js'
import type { CertificateRecord, VendorRecord } from '#certs/record.js'
import { stateOf } from '#certs/registry.js'
import type { CertificateRegistry, RevocationReason } from '#certs/registry.js'
import type { StationCa } from '#certs/station.js'
import { penOf } from '#certs/vendor.js'
import type { Vendors } from '#certs/vendor.js'
import { subjectKeyIdentifier } from '#certs/x509/certificate.js'
import { certificatePem } from '#certs/x509/pem.js'

export interface CertificateRoutesNeeds {
  readonly registry: CertificateRegistry
  readonly vendors: Vendors
  readonly enrolment: Enrolment
  readonly stationCa?: StationCa
  readonly trust: () => Trust
  /** LFDIs of self-signed certificates that the 2030.5 door takes (SEP-208). */
  readonly pinned?: () => ReadonlySet<string>
  readonly profile: DoorProfile
  readonly production: boolean
  /** What a device is by its certificate, whoever issued that (SEP-211). */
  readonly hardwareOf?: (lfdi: string) => Promise<{ readonly hwType: string; readonly hwSerialNum: string } | undefined>
  readonly clock: Clock
  callerOf(request: FastifyRequest): Caller
  /** Throws `forbidden` unless the caller may change certificates (caOfficer, admin) or look at them. */
  permit(caller: Caller, right: 'read' | 'write'): void
}

const reasons: readonly RevocationReason[] = ['unspecified', 'keyCompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation']

/** Routes `certificates`, `vendors` and `enrolment-requests` of the operator API (contract §6), under that door's prefix. */
export function certificateRoutes(needs: CertificateRoutesNeeds) {
  const { registry, vendors, enrolment, clock } = needs
  const reader = (request: FastifyRequest): Caller => { const caller = needs.callerOf(request); needs.permit(caller, 'read'); return caller }
  const writer = (request: FastifyRequest): Caller => { const caller = needs.callerOf(request); needs.permit(caller, 'write'); return caller }
  const view = (r: CertificateRecord) => ({
    id: r.lfdi ?? r.serial, serial: r.serial, lfdi: r.lfdi, sfdi: r.sfdi === null ? null : sfdiText(r.sfdi), pin: pinText(r.pin), state: stateOf(r, clock.nowMs()), vendor: r.vendor, hwType: r.hwType,
    hwSerialNum: r.hwSerialNum, notBefore: isoOf(r.notBeforeMs), notAfter: isoOf(r.notAfterMs), issuedAt: isoOf(r.issuedAtMs), requester: r.requester, replaces: r.replaces,
    revokedAt: r.revokedAtMs === null ? null : isoOf(r.revokedAtMs), reason: r.reason, version: 1, ...(r.state === 'signing' ? {} : { certificate: certificatePem(Buffer.from(r.der, 'base64')) }),
  })
  const found = async (id: string): Promise<CertificateRecord> => {
    const record = isLfdi(id) ? await registry.byLfdi(id) : await registry.bySerial(id)
    if (!record) throw new Refusal('notFound', 'no such certificate')
    return record
  }

  /** A device of another manufacturer's PKI that was here: its maker is known by enterprise number (SEP-211). */
  const foreign = async (lfdi: string, hardware: { hwType: string; hwSerialNum: string }) => {
    const block = registry.blocks().find((b) => b.id === lfdi), maker = await vendors.byPen(penOf(hardware.hwType) ?? -1)
    return { id: lfdi, serial: null, lfdi, sfdi: sfdiText(sfdiOf(lfdi)), state: block ? 'revoked' : 'foreign', vendor: maker?.name ?? null, ...hardware, revokedAt: block ? isoOf(block.fromMs) : null, reason: block?.reason ?? null, version: 1 }
  }

  /** SEP-213: a MICA, MCA or SERCA that is trusted, by its subjectKeyIdentifier, whatever its length (SEP-204). */
  const isAuthority = (id: string): boolean => needs.trust().all.some(({ view }) => subjectKeyIdentifier(view)?.toUpperCase() === id.toUpperCase())

  return async (app: FastifyInstance): Promise<void> => {
    app.get('/certificates', { schema: { tags: ['certificates'], summary: 'Certificates that this server issued' } }, async (request) => {
      reader(request)
      const { limit, cursor, vendor, state } = request.query as Record<string, string | undefined>
      const most = Math.min(1000, Math.max(1, Number(limit ?? 100) || 100)), skip = Math.max(0, Number(cursor ?? 0) || 0)
      const rows = await registry.list({ ...(vendor ? { vendor } : {}), ...(state ? { state: state as CertificateRecord['state'] } : {}), skip, limit: most + 1 })
      return { items: rows.slice(0, most).map(view), next: rows.length > most ? String(skip + most) : null }
    })
    app.get<{ Params: { id: string } }>('/certificates/:id', { schema: { tags: ['certificates'], summary: 'One certificate, by LFDI or serial number; of a foreign one that was here, what its device is' } }, async (request) => {
      reader(request)
      const { id } = request.params, hardware = isLfdi(id) && !await registry.byLfdi(id) ? await needs.hardwareOf?.(id) : undefined
      return hardware ? foreign(id.toUpperCase(), hardware) : view(await found(id))
    })
    app.post<{ Params: { id: string }; Body: { reason?: RevocationReason } | null }>('/certificates/:id/revoke', {
      schema: { tags: ['certificates'], summary: 'Revoke: effective at once, live connections are cut', body: { type: ['object', 'null'], properties: { reason: { type: 'string', enum: [...reasons] } } } },
    }, async (request) => {
      const caller = writer(request), { id } = request.params, reason = request.body?.reason ?? 'unspecified'
      const record = isLfdi(id) ? await registry.byLfdi(id) : await registry.bySerial(id)
      if (record?.lfdi) {
        await registry.revoke(record.lfdi, reason, caller.user)
        return view((await registry.byLfdi(record.lfdi))!)
      }
      if (isAuthority(id)) {
        await registry.block({ id, what: 'authority', reason, by: caller.user })
        return { id: id.toUpperCase(), state: 'revoked', reason }
      }
      if (await needs.stationCa?.revoke(id, reason, caller.user)) return { id, state: 'revoked', reason }
      if (!isLfdi(id)) throw new Refusal('notFound', 'no such certificate')
      // Interpretation: SEP-213 an LFDI of another manufacturer's CA is blocked, which is all that revoking can mean for it.
      await registry.block({ id, what: 'certificate', reason, by: caller.user })
      return { id: id.toUpperCase(), state: 'revoked', reason }
    })
    app.post<{ Params: { id: string } }>('/certificates/:id/unblock', {
      schema: { tags: ['certificates'], summary: 'Lift the block of a foreign certificate or of a whole authority; what we issued and revoked stays revoked' },
    }, async (request) => {
      writer(request)
      const id = request.params.id.toUpperCase()
      if (!registry.blocks().some((b) => b.id === id)) throw new Refusal('notFound', 'it is not blocked')
      await registry.unblock(id)
      return { id, state: 'unblocked' }
    })
    app.post<{ Body: { certificate: string } }>('/certificates/explain', {
      schema: { tags: ['certificates'], summary: 'Why a certificate is accepted or refused: each failing rule with its clause', body: { type: 'object', required: ['certificate'], properties: { certificate: { type: 'string', maxLength: 100_000 } } } },
    }, async (request) => {
      reader(request)
      return explainCertificate(request.body.certificate, { profile: needs.profile, trust: needs.trust(), nowMs: clock.nowMs(), production: needs.production, blocked: registry.isBlocked, ...(needs.pinned ? { pinned: needs.pinned() } : {}) })
    })

    const vendorView = (v: VendorRecord) => ({ id: v.name, version: 1, ...v })
    app.get('/vendors', { schema: { tags: ['vendors'], summary: 'Makers whose devices may enrol' } }, async (request) => { reader(request); return { items: (await vendors.list()).map(vendorView), next: null } })
    app.post<{ Body: { name: string; pen: number; fingerprints?: string[]; approval?: VendorRecord['approval']; policy?: VendorRecord['policy'] } }>('/vendors', {
      schema: {
        tags: ['vendors'], summary: 'A maker: enterprise number, certificates that speak for it, approval',
        body: { type: 'object', required: ['name', 'pen'], additionalProperties: false, properties: {
          name: { type: 'string', pattern: '^[\\w.-]{1,64}$' }, pen: { type: 'integer', minimum: 1, maximum: 4294967295 }, fingerprints: { type: 'array', items: { type: 'string', pattern: '^[0-9A-Fa-f]{40}$' } },
          approval: { type: 'string', enum: ['automatic', 'manual'] }, policy: { type: 'string', enum: ['factory', 'postManufacture'] },
        } },
      },
    }, async (request, reply) => {
      writer(request)
      const { name, pen, fingerprints = [], approval = 'automatic', policy = 'factory' } = request.body
      if (await vendors.get(name)) throw new Refusal('conflict', `vendor ${name} exists`)
      const stored = await vendors.put({ name, pen, fingerprints: fingerprints.map((f) => f.toUpperCase()), approval, policy, active: true })
      return reply.code(201).header('Location', `vendors/${encodeURIComponent(name)}`).send(vendorView(stored))
    })
    app.post<{ Params: { id: string }; Body: { hwSerialNums: string[]; expiresIn_s?: number } }>('/vendors/:id/secrets', {
      schema: {
        tags: ['vendors'], summary: 'One-time EST secrets, shown once: user = hwSerialNum, password = secret',
        body: { type: 'object', required: ['hwSerialNums'], properties: { hwSerialNums: { type: 'array', minItems: 1, maxItems: 10_000, items: { type: 'string' } }, expiresIn_s: { type: 'integer', minimum: 60, maximum: 31_536_000 } } },
      },
    }, async (request, reply) => {
      writer(request)
      const { hwSerialNums, expiresIn_s } = request.body
      const made = await vendors.addSecrets(request.params.id, hwSerialNums, expiresIn_s === undefined ? undefined : expiresIn_s * 1000)
      return reply.code(201).header('Location', `vendors/${encodeURIComponent(request.params.id)}/secrets`).send({ items: made.map((m) => ({ hwSerialNum: m.hwSerialNum, secret: m.secret, expiresAt: isoOf(m.expiresAtMs) })), next: null })
    })
    app.get('/enrolment-requests', { schema: { tags: ['vendors'], summary: 'Requests that wait for an operator' } }, async (request) => {
      reader(request)
      return { items: (await enrolment.waiting()).map(({ id, request: r }) => ({ id, vendor: r.vendor, hwType: r.hwType, hwSerialNum: r.hwSerialNum, requester: r.requester, state: r.state, csr: r.csr })), next: null }
    })
    app.post<{ Params: { vendor: string; hwSerialNum: string }; Body: { decision: 'approve' | 'reject'; reason?: string } }>('/enrolment-requests/:vendor/:hwSerialNum/decision', {
      schema: { tags: ['vendors'], body: { type: 'object', required: ['decision'], properties: { decision: { type: 'string', enum: ['approve', 'reject'] }, reason: { type: 'string' } } } },
    }, async (request) => {
      const caller = writer(request), { vendor, hwSerialNum } = request.params
      const decided = await enrolment.decide(`${vendor}/${hwSerialNum}`, request.body.decision, caller.user, request.body.reason)
      return { id: `${vendor}/${hwSerialNum}`, state: decided.state, decidedBy: decided.decidedBy, reason: decided.reason }
    })
  }
}
