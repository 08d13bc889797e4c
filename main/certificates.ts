import {
  hardwareIn, buildEnrolment, buildRegistry, buildStationCa, buildVendors, checkDeviceCertificate, journalFile, buildRevocation, pinnedAt, preparePki, readPinned, seedCertificates, seedStation, seedVendor, trustOf, type CertificateRegistry, type DoorProfile, type Enrolment, type Pinned, type PkiFolder, type Registration, type RevocationDoor, type StationCa, type Trust, type Vendors,
} from '#certs/index.js'
import type { Ids } from '#core/port/ids.js'
import type { Clock } from '#core/port/clock.js'
import type { Database } from '#core/port/store/index.js'
import type { Settings } from '#cli/settings.js'
import { firstTenant, type BuildOptions, type Closing } from '#main/shape.js'

/** The certificate authority and what it knows; judged by the machine's clock, as TLS is. */
export interface Certificates {
  /** As last read. */
  readonly pki: PkiFolder
  /** Whose devices are believed: our own PKI and the folder's `trusted/`. */
  trust(): Trust
  /** Self-signed certificates that the 2030.5 door takes, and no other door (SEP-208). */
  pinned(): Pinned
  /** Files and folders that `reload` reads, besides what this server makes itself. */
  readonly watched: readonly string[]
  /** Reads the folder again (SEP-212, UX-076): what was put there, and server certificates that are near their end are made anew. */
  reload(): Promise<void>
  onReload(listener: (pki: PkiFolder) => void): void
  readonly registry: CertificateRegistry
  readonly vendors: Vendors
  /** Signs charging stations' certificates (OCPP-037). */
  readonly stationCa: StationCa
  /** CRL and OCSP of that authority; the address is what its certificates say, undefined where no door answers. */
  readonly revocation: RevocationDoor & { readonly url: string | undefined }
  enrolment(registration: Registration): Enrolment
  /** The verdict on a 2030.5 leaf, one sentence a failing rule (SEP-201 … SEP-208). */
  checkLeaf(der: Buffer, chain: readonly Buffer[]): { ok: true; issuers: readonly string[]; hardware: ReturnType<typeof hardwareIn> } | { ok: false; reason: string }
}

const year_ms = 31_557_600_000
/** Comma-separated words of a setting. */
export const listOf = (text: string): string[] => text.split(',').map((word) => word.trim()).filter(Boolean)

/** Where others find the EST door: as configured, else by the name that its certificate has. */
function estUrlOf({ estUrl, estPort, names }: Settings): string | undefined {
  const [host = 'localhost'] = listOf(names)
  return estUrl || (estPort ? `https://${host.includes(':') ? `[${host}]` : host}:${estPort}` : undefined)
}

export async function openCertificates(options: BuildOptions, needs: { database: Database; machine: Clock; ids: Ids }, closing: Closing): Promise<Certificates> {
  const { settings, data, log, clock, seed } = options
  const { machine, ids, database: { stores: { documents } } } = needs
  // A demonstration may live in another year than the machine: its certificates hold in both.
  const first = Math.min(machine.nowMs(), clock.nowMs()), last = Math.max(machine.nowMs(), clock.nowMs())
  const lapse_ms = last - first, names = [settings.names, settings.csipSni].flatMap(listOf), publicUrl = estUrlOf(settings)
  const read = (nowMs: number): Promise<PkiFolder> => preparePki(data.at('pki'), {
    ids, nowMs, log, names, ...(publicUrl ? { publicUrl } : {}), ...(seed ? { seed } : {}), ...(settings.sealKey ? { sealingKey: settings.sealKey } : {}),
    validity: { fromMs: nowMs - 86_400_000, toMs: nowMs + lapse_ms + 10 * year_ms },
  })
  const profile = settings.csipProfile as DoorProfile, production = seed === undefined, usual = data.at('pki', 'pinned'), pins = pinnedAt(listOf(settings.csipPinned), usual)
  const readPins = (): Promise<Pinned> => readPinned(pins, usual, { profile, production, nowMs: machine.nowMs() }, log)
  let pki = await read(first), trust = trustOf(...pki.csip.entries), pinned = await readPins()
  const listeners: ((pki: PkiFolder) => void)[] = []
  const registry = buildRegistry({ documents, tenant: firstTenant, clock: machine, log, journal: journalFile(data.at('revocations.jsonl')) })
  await registry.start()
  closing.add('certificate registry', () => registry.stop())
  const vendors = buildVendors({ documents, tenant: firstTenant, clock: machine, ids })
  await seedVendor(pki, vendors)
  await seedCertificates(pki, registry)
  const stationCa = buildStationCa({ authority: pki.ocpp.authority, documents, tenant: firstTenant, registry, clock: machine, ids, log, organization: 'Loadstone', ...(publicUrl ? { publicUrl } : {}) })
  await seedStation(pki, stationCa)
  const revocation = { ...buildRevocation({ ocpp: stationCa.ledger }, machine), url: publicUrl }
  return {
    registry, vendors, stationCa, revocation,
    get pki() { return pki },
    trust: () => trust,
    pinned: () => pinned,
    watched: [pki.dir, data.at('pki', 'trusted'), ...pins],
    async reload() {
      // first what was taken away: a folder that cannot be read must not keep it (SEP-208)
      pinned = await readPins()
      try {
        pki = await read(machine.nowMs())
        trust = trustOf(...pki.csip.entries)
      } finally {
        for (const listener of listeners) listener(pki)
      }
    },
    onReload: (listener) => { listeners.push(listener) },
    enrolment: (registration) => buildEnrolment({ documents, tenant: firstTenant, registry, vendors, mica: () => pki.csip.mica, registration, clock: machine, ids, log }),
    checkLeaf(der, chain) {
      const verdict = checkDeviceCertificate(der, { profile, trust, nowMs: machine.nowMs(), sent: chain.slice(1), production, pinned: pinned.lfdis, blocked: (id) => registry.isBlocked(id) })
      return verdict.ok ? { ok: true, issuers: verdict.issuers, hardware: hardwareIn(verdict) } : { ok: false, reason: verdict.failures.map((f) => `${f.clause}: ${f.sentence}`).join('; ') }
    },
  }
}
