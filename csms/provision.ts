import { Refusal } from '#core/error.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { CsmsConfig } from './config.js'
import type { Fleet } from './fleet.js'
import type { Journal } from './journal.js'
import type { Passwords } from './password.js'
import { newRecord, type Station, type StationRecord } from './station.js'

export interface NewStation {
  readonly id: string
  readonly securityProfile: number
  /** More than one only for certification runs (OCPP-020). */
  readonly securityProfiles?: readonly number[]
  readonly password?: string
  readonly serialNumber?: string
  readonly approved?: boolean
  readonly settings?: Partial<Pick<StationRecord, 'voltage' | 'phases' | 'normalLimit_W' | 'site' | 'siteLimit_W' | 'legacyKey' | 'dropNulls' | 'versions' | 'acceptExpired' | 'quirks' | 'tariff' | 'localController' | 'factoryCredentials'>>
}

export interface Provision {
  /**
   * Makes or renews stations; the password is in the answer once (contract §6). Nothing is stored when one is
   * refused. `keepExisting` leaves known stations alone, with their registration and security profile; they are not in the answer. */
  add(tenant: string, stations: readonly NewStation[], options?: { keepExisting?: boolean }): Promise<{ id: string; password?: string }[]>
  enrol(tenant: string, identity: string, password: string | undefined): Promise<Station>
  /** OCPP-087: an operator lets a waiting station in, or refuses it; it hears so at its next boot. */
  approve(station: Station, verdict: 'accepted' | 'rejected'): Promise<void>
  /** Changes what an operator may change of a known station; a new password rules at once. */
  change(station: Station, change: StationChange): Promise<void>
}

export interface StationChange {
  readonly settings?: NonNullable<NewStation['settings']>
  readonly password?: string
}

export function provision({ documents, fleet, passwords, nowMs, journal, admission }: {
  admission: CsmsConfig['admission']
  documents: DocumentStore; fleet: Fleet; passwords: Passwords; nowMs: () => number; journal: Journal
}): Provision {
  async function recordOf(given: NewStation): Promise<{ record: StationRecord; password: string | undefined }> {
    const profiles = [...given.securityProfiles ?? [given.securityProfile]]
    const basic = profiles.some((p) => p === 1 || p === 2)
    const password = basic ? given.password ?? passwords.generate() : undefined
    return {
      password,
      record: newRecord({
        ...given.settings, securityProfiles: profiles, approved: given.approved ?? true,
        ...(given.serialNumber === undefined ? {} : { serialNumber: given.serialNumber }),
        ...(password === undefined ? {} : { password: await passwords.store(given.id, password, given.password === undefined ? 'machine' : 'human') }),
      }),
    }
  }

  function check(given: NewStation): void {
    const faults: { path: string; reason: string }[] = []
    const basic = (given.securityProfiles ?? [given.securityProfile]).some((p) => p < 3)
    // OCPP-002: no colon when Basic is used.
    if (!/^[A-Za-z0-9*\-_=:+|@. ]{1,48}$/.test(given.id) || (basic && given.id.includes(':'))) faults.push({ path: '/id', reason: 'not an identity of OCPP-J' })
    if (given.password !== undefined && (given.password.length < 16 || given.password.length > 64)) faults.push({ path: '/password', reason: '16 to 64 characters' })
    if (faults.length > 0) throw new Refusal('invalid', `station '${given.id.slice(0, 48)}' is refused`, { faults })
  }

  return {
    async add(tenant, wanted, { keepExisting = false } = {}) {
      wanted.forEach(check)
      const known = keepExisting ? await Promise.all(wanted.map(({ id }) => fleet.find(tenant, id))) : []
      const stations = wanted.filter((_, i) => !known[i])
      const made = await Promise.all(stations.map(async (given) => ({ given, ...await recordOf(given) })))
      await documents.insertMany(made.map(({ given, record }) => ({ tenant, kind: 'csms/Station', id: given.id, parent: '', body: record })), nowMs(), { onConflict: 'replace' })
      for (const { given, record } of made) fleet.put(tenant, given.id, record)
      return made.map(({ given, password }) => ({ id: given.id, ...(password === undefined ? {} : { password }) }))
    },
    async enrol(tenant, identity, password) {
      const given: NewStation = { id: identity, securityProfile: 2, securityProfiles: [1, 2], approved: admission === 'open', ...(password === undefined ? {} : { password }) }
      const { record } = await recordOf(given)
      await documents.insertMany([{ tenant, kind: 'csms/Station', id: identity, parent: '', body: record }], nowMs(), { onConflict: 'replace' })
      return fleet.put(tenant, identity, record)
    },
    async approve(station, verdict) {
      station.record.approved = verdict === 'accepted'
      station.record.registration = verdict === 'accepted' ? 'pending' : 'rejected'
      await journal.write([station.document()])
    },
    async change(station, { settings, password }) {
      if (password !== undefined) check({ id: station.identity, securityProfile: 3, password })
      Object.assign(station.record, settings ?? {})
      station.session.dropNulls = station.record.dropNulls ?? false
      if (password !== undefined) station.record.password = await passwords.store(station.identity, password, 'human')
      await journal.write([station.document()])
    },
  }
}
