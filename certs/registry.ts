import { Refusal } from '#core/error.js'
import type { Clock, Timer } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import type { Document, DocumentStore } from '#core/port/store/document.js'
import { keyHashOf } from '#certs/csr.js'
import { lfdiOf, sfdiOf } from '#certs/lfdi.js'
import { certificateDocument, Kind } from '#certs/record.js'
import type { BlockRecord, CertificateRecord, KeyRecord } from '#certs/record.js'
import { hardwareModuleName, hwSerialText, readCertificate } from '#certs/x509/certificate.js'

/** CRLReason of RFC 5280 §5.3.1 that an operator may give. */
export type RevocationReason = 'unspecified' | 'keyCompromise' | 'affiliationChanged' | 'superseded' | 'cessationOfOperation'

export type CertificateState = CertificateRecord['state'] | 'expired'

export interface RegistryQuery {
  readonly vendor?: string
  readonly state?: CertificateRecord['state']
  readonly skip?: number
  readonly limit?: number
}

/** Issued certificates and what is blocked. `isBlocked` answers from memory; every process hears of changes. */
export interface CertificateRegistry {
  byLfdi(lfdi: string): Promise<CertificateRecord | undefined>
  bySerial(serial: string): Promise<CertificateRecord | undefined>
  list(query: RegistryQuery): Promise<readonly CertificateRecord[]>
  /** Records certificates that our MICA made without a request: those of a seed. Known ones stay as they are. */
  adopt(made: readonly { readonly der: Uint8Array; readonly pin: number; readonly vendor: string; readonly requester: string }[]): Promise<void>
  /** Certificates that end within so many ms, soonest first; for the alarms at 30, 14, 7 and 1 days (UX-076). */
  expiring(withinMs: number): Promise<readonly CertificateRecord[]>
  /** An LFDI, or a CA's key identifier (SEP-213). Asked on every request (SEC-007). */
  isBlocked(id: string): boolean
  blocks(): readonly BlockRecord[]
  /** Blocks the LFDI, and its key for ever when it was compromised (SEC-021). Idempotent. */
  revoke(lfdi: string, reason: RevocationReason, by: string): Promise<void>
  /** Blocks any LFDI, issued by us or not, or a whole CA by its key identifier (SEP-213). */
  block(entry: { readonly id: string; readonly what: BlockRecord['what']; readonly reason: string; readonly by: string; readonly fromMs?: number }): Promise<void>
  /** Lifts a block; a revoked certificate of ours stays revoked: `conflict`. */
  unblock(id: string): Promise<void>
  /** Told once for each id that becomes blocked, in every process; cut its live connections (SEP-007, SEP-193). */
  onRevoked(listener: (block: BlockRecord) => void): () => void
  /** Reads the blocks; call before serving. */
  start(): Promise<void>
  stop(): void
}

/**
 * REL-091: blocks are also written where no restored database takes them back: a later start puts what is missing into the store again.
 * Lines in order; an unblocked id is written too.
 */
export interface BlockJournal {
  read(): Promise<readonly (BlockRecord | { readonly unblocked: string })[]>
  append(entry: BlockRecord | { readonly unblocked: string }): Promise<void>
}

export interface RegistryNeeds {
  readonly documents: DocumentStore
  readonly tenant: string
  readonly clock: Clock
  readonly log: Log
  readonly journal?: BlockJournal
}

export function buildRegistry({ documents, tenant, clock, log, journal }: RegistryNeeds): CertificateRegistry {
  let blocks = new Map<string, BlockRecord>()
  const told = new Set<string>(), listeners = new Set<(block: BlockRecord) => void>()
  let timer: Timer | undefined, forget: (() => void) | undefined, reading: Promise<void> = Promise.resolve()

  async function readAll(): Promise<void> {
    const next = new Map<string, BlockRecord>(), page = 5_000
    for (let skip = 0; ; skip += page) {
      const rows = await documents.list<BlockRecord>(tenant, { kind: Kind.block, order: ['id'], skip, limit: page })
      for (const row of rows) next.set(row.id, row.body)
      if (rows.length < page) break
    }
    blocks = next
    announce()
  }
  /** One reading after another, so that an older answer never replaces a newer one. */
  const refresh = (): Promise<void> => {
    reading = reading.then(readAll, readAll)
    return reading
  }
  function announce(): void {
    timer?.cancel()
    const now = clock.nowMs()
    for (const id of told) if (!blocks.has(id)) told.delete(id)
    for (const block of blocks.values()) if (block.fromMs <= now && !told.has(block.id)) {
      told.add(block.id)
      for (const listener of listeners) listener(block)
    }
    const later = [...blocks.values()].filter((b) => b.fromMs > now).reduce((least, b) => Math.min(least, b.fromMs), Infinity)
    if (Number.isFinite(later)) timer = clock.after(later - now, announce)
  }
  const documentOf = (body: BlockRecord) => ({ tenant, kind: Kind.block, id: body.id, parent: '', key: body.id, body })
  const put = async (body: BlockRecord): Promise<void> => {
    await journal?.append(body)
    await documents.insertMany<BlockRecord>([documentOf(body)], clock.nowMs(), { onConflict: 'replace' })
    await refresh()
  }
  /** What the journal knows and a restored database does not. */
  async function recall(): Promise<void> {
    const kept = new Map<string, BlockRecord>()
    for (const entry of await journal?.read() ?? []) if ('unblocked' in entry) kept.delete(entry.unblocked); else kept.set(entry.id, entry)
    const missing = [...kept.values()].filter((b) => !blocks.has(b.id))
    if (missing.length === 0) return
    await documents.insertMany<BlockRecord>(missing.map(documentOf), clock.nowMs(), { onConflict: 'skip' })
    log.warn({ blocks: missing.length, clause: 'REL-091' }, 'the database is older than its revocations: they are in force again')
    await refresh()
  }
  const found = async (lfdi: string): Promise<Document<CertificateRecord> | undefined> => documents.byKey<CertificateRecord>(tenant, Kind.certificate, '', lfdi.toUpperCase())

  return {
    byLfdi: async (lfdi) => (await found(lfdi))?.body,
    bySerial: async (serial) => (await documents.get<CertificateRecord>(tenant, Kind.certificate, serial.toUpperCase()))?.body,
    async list({ vendor, state, skip, limit = 100 }) {
      const where = { ...(vendor === undefined ? {} : { vendor }), ...(state === undefined ? {} : { state }) }
      const rows = await documents.list<CertificateRecord>(tenant, { kind: Kind.certificate, where, limit, ...(skip === undefined ? {} : { skip }) })
      return rows.map((row) => row.body)
    },
    async expiring(withinMs) {
      const rows = await documents.list<CertificateRecord>(tenant, { kind: Kind.certificate, where: { state: 'valid' }, sort1To: clock.nowMs() + withinMs, order: ['sort1'], limit: 1_000 })
      return rows.map((row) => row.body)
    },
    async adopt(made) {
      const bodies = made.map(({ der, pin, vendor, requester }): CertificateRecord => {
        const view = readCertificate(der), hardware = hardwareModuleName(view), lfdi = lfdiOf(der)
        return {
          serial: view.serial.toUpperCase(), state: 'valid', der: Buffer.from(der).toString('base64'), lfdi, sfdi: sfdiOf(lfdi), pin, vendor, requester,
          hwType: hardware?.hwType ?? '', hwSerialNum: hardware ? hwSerialText(hardware) : '', keyHash: keyHashOf(view.key.spki),
          notBeforeMs: view.notBeforeMs, notAfterMs: view.notAfterMs, issuedAtMs: view.notBeforeMs, replaces: null, revokedAtMs: null, reason: null,
        }
      })
      await documents.insertMany(bodies.map((body) => certificateDocument(tenant, body)), clock.nowMs(), { onConflict: 'skip' })
    },
    isBlocked(id) {
      const block = blocks.get(id.toUpperCase())
      return block !== undefined && block.fromMs <= clock.nowMs()
    },
    blocks: () => [...blocks.values()],
    async revoke(lfdi, reason, by) {
      const document = await found(lfdi)
      if (!document) throw new Refusal('notFound', 'no certificate with that LFDI was issued here; block the LFDI instead')
      // Order matters: the block takes effect first, the record follows.
      await put({ id: lfdi.toUpperCase(), what: 'certificate', reason, by, fromMs: Math.min(clock.nowMs(), blocks.get(lfdi.toUpperCase())?.fromMs ?? Infinity) })
      if (document.body.state !== 'revoked') {
        await documents.replace<CertificateRecord>({ ...document, body: { ...document.body, state: 'revoked', reason, revokedAtMs: clock.nowMs() } }, clock.nowMs(), document.version)
      }
      if (reason === 'keyCompromise') {
        const key = await documents.get<KeyRecord>(tenant, Kind.key, document.body.keyHash)
        if (key) await documents.replace<KeyRecord>({ ...key, body: { ...key.body, compromised: true } }, clock.nowMs())
      }
      log.info({ lfdi, reason, by, clause: 'SEP-213' }, 'certificate revoked')
    },
    block: ({ id, what, reason, by, fromMs }) => put({ id: id.toUpperCase(), what, reason, by, fromMs: fromMs ?? clock.nowMs() }),
    async unblock(id) {
      if ((await found(id))?.body.state === 'revoked') throw new Refusal('conflict', 'a revoked certificate stays revoked: enrol the device again')
      await journal?.append({ unblocked: id.toUpperCase() })
      await documents.remove(tenant, Kind.block, id.toUpperCase())
      await refresh()
    },
    onRevoked(listener) {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    async start() {
      forget = documents.onChange((change) => {
        if (change.kind === Kind.block && change.tenant === tenant) refresh().catch((error: unknown) => log.error({ error }, 'the blocked certificates could not be read'))
      })
      await refresh()
      await recall()
    },
    stop() {
      timer?.cancel()
      forget?.()
    },
  }
}

/** The state that a person sees: expiry is a matter of the clock, not of a write. */
export const stateOf = (record: CertificateRecord, nowMs: number): CertificateState =>
  record.state === 'valid' && nowMs > record.notAfterMs ? 'expired' : record.state
