import type { NewDocument } from '#core/port/store/document.js'
import type { StoredPassword } from '#csms/password.js'
import type { Quirks } from '#csms/quirk.js'
import type { Session } from '#csms/rpc/session.js'
import type { Version } from '#csms/rpc/version.js'
import type { Reported } from '#csms/smart-charging/installer.js'
import type { LedgerEntry } from '#csms/smart-charging/ledger.js'
import type { Transaction } from '#csms/transaction.js'
import type { ChargingNeeds } from '#csms/message/notify-ev-charging-needs.js'

/** What names a certificate in OCPP (M03). */
export interface HashData {
  readonly hashAlgorithm: string
  readonly issuerNameHash: string
  readonly issuerKeyHash: string
  readonly serialNumber: string
}

export type Registration = 'none' | 'pending' | 'rejected' | 'accepted'

/** What is kept of a station over restarts: document `csms/Station`, id = identity. */
export interface StationRecord {
  /** Exactly one is in force; two stand side by side only in the `conformance` seed, until an upgrade (OCPP-020). */
  securityProfiles: number[]
  /** Ordered by the operator; the first connection at this profile makes it the only one (OCPP-021). */
  upgradingTo?: number
  versions: Version[]
  password?: StoredPassword
  /** While a password change is undecided both work (OCPP-034). */
  nextPassword?: StoredPassword
  serialNumber?: string
  legacyKey?: boolean
  acceptExpired?: boolean
  dropNulls?: boolean
  /** OCPP-087: false while an operator has not approved unknown hardware. */
  approved: boolean
  registration: Registration
  boot?: { at: string; reason: string; vendorName: string; model: string; serialNumber?: string; firmwareVersion?: string; version: Version; modem?: { iccid?: string; imsi?: string }; customData?: object }
  /** Newest state per 'evse/connector'; 1.6 errorCode beside it. */
  connectors: Record<string, { status: string; at: string; errorCode?: string }>
  /** ChangeAvailability as wanted: '' = station, '1' = EVSE, '1/1' = connector (OCPP-162). */
  wanted: Record<string, 'Operative' | 'Inoperative'>
  /** External caps by EVSE, '0' = station (OCPP-195); W when the station said so. */
  caps: Record<string, { source: string; limit_W?: number; at: string }>
  /** Counters: remoteStartId, requestId, local list version, 1.6 transaction ids. */
  counters: { request: number; remoteStart: number; transaction: number; localList: number }
  /** Nominal line-to-neutral voltage and the grid's phases, for A and W (OCPP-230). */
  voltage: number
  phases: number
  /** Contractual limit of the fail-safe baseline (OCPP-245), W; absent = none is installed. */
  normalLimit_W?: number
  /** Stations with the same site share one connection limit while no event runs (OCPP-241); the lowest told counts. */
  site?: string
  siteLimit_W?: number
  /** What this station does otherwise than the standard says, over what is known of its model (OCPP-250). */
  quirks?: Quirks
  /** It came with its maker's credentials and is held Pending until they are replaced (OCPP-042). */
  factoryCredentials?: boolean
  /** Reservations by id, until they are used, cancelled or over (OCPP-165). */
  reservations: Record<string, { evseId?: number; until: string; idToken: string }>
  /** Since when the station says that it has more to tell of transactions (OCPP-141). */
  messagesInQueueSince?: string
  /** It is being moved to another CSMS (OCPP-098). */
  migrating?: { to: string; at: string }
  /** The last Reset and what became of it (OCPP-099). */
  reset?: { at: string; type: string; status: string; evseId?: number; boot?: string }
  /** Progress that the station told of our requests, by message and requestId (OCPP-211, 220). */
  progress: Record<string, { status: string; at: string }>
  /** Monitors by id (OCPP-221); their severity is that of their events in 2.0.1 (OCPP-222). */
  monitors: Record<string, { component: Variable['component']; variable: Variable['variable']; type: string; value: number; severity: number }>
  /** Certificates in the station, as it listed them (OCPP-215). */
  installed?: { certificateType: string; certificateHashData: HashData; childCertificateHashData?: HashData[] }[]
  /** The CSMS root that it took last, PEM (OCPP-214). */
  csmsRoot?: string
  /** Its tariff, by name (OCPP-166); absent: that of the deployment, if any. */
  tariff?: string
  /** It speaks for the site's other stations: their common limit goes to it (OCPP-241). */
  localController?: boolean
  /** The baseline is in the station, as it told itself (OCPP-245). */
  controllable?: boolean
  /** Answers A04 and others: flags raised about this station, newest last, at most 50. */
  flags: { at: string; flag: string }[]
}

export const newRecord = (given: Partial<StationRecord> = {}): StationRecord => ({
  securityProfiles: [2], versions: ['2.1', '2.0.1', '1.6'], approved: true, registration: 'none', connectors: {}, wanted: {}, caps: {},
  counters: { request: 0, remoteStart: 0, transaction: 0, localList: 0 }, voltage: 230, phases: 3, reservations: {}, progress: {}, monitors: {}, flags: [], ...given,
})

/** One variable of the device model as reported (OCPP-280): unknown names are kept like known ones. */
export interface Variable {
  readonly component: { readonly name: string; readonly instance?: string; readonly evse?: { readonly id: number; readonly connectorId?: number } }
  readonly variable: { readonly name: string; readonly instance?: string }
  readonly attributes: Record<string, { value?: string; mutability?: string; persistent?: boolean; constant?: boolean }>
  readonly characteristics?: { readonly dataType?: string; readonly unit?: string; readonly minLimit?: number; readonly maxLimit?: number; readonly valuesList?: string }
}

/** OCPP-280: names compare case-insensitively. */
export const variableKey = (component: Variable['component'], variable: Variable['variable']): string =>
  [component.name, component.instance ?? '', component.evse?.id ?? '', component.evse?.connectorId ?? '', variable.name, variable.instance ?? ''].join('\u001f').toLowerCase()

/** What names a station over all tenants and processes. */
export const keyOf = (tenant: string, identity: string): string => `${tenant} ${identity}`

/** A station as this process knows it: the record, and what hangs on it. Lives from its first login or first mention on. */
export class Station {
  readonly tenant: string
  readonly identity: string
  readonly record: StationRecord
  readonly session: Session
  readonly transactions = new Map<string, Transaction>()
  /** Installed and wanted charging profiles by id (OCPP-200). */
  readonly ledger = new Map<number, LedgerEntry>()
  /** What the EV at an EVSE needs (K15), and the last power seen there. */
  readonly needs = new Map<number, ChargingNeeds>()
  readonly power = new Map<number, { at: number; W: number }>()
  /** What the car at an EVSE drew when no event limited it, W. */
  readonly free = new Map<number, number>()
  variables: Map<string, Variable> | undefined
  /** Messages the station may send although not accepted, because we asked for them (OCPP-083). */
  allowed: Map<string, number> | undefined
  /** Certificate CN of a profile 3 connection (OCPP-029). */
  certificateName: string | undefined
  certificate: { readonly fingerprint: string; readonly notAfterMs: number; readonly expired?: boolean; readonly serialNumber?: string } | undefined
  /** RequestStartTransaction by remoteStartId (OCPP-151): Accepted starts nothing yet. */
  readonly remoteStarts = new Map<number, { at: number; state: 'accepted' | 'started' | 'timedOut' }>()
  /** Messages that we triggered and wait for (OCPP-154). */
  readonly triggered = new Map<string, { at: number; state: 'awaited' | 'came' | 'timedOut' }>()
  /** What the station itself says it offers an EVSE (OCPP-199). */
  readonly offered = new Map<number, { at: number; W: number }>()
  /** Public keys of its meters as it told them, by encoding (OCPP-174). */
  readonly meterKeys = new Map<string, string>()
  /** When its profiles were last compared with the ledger (OCPP-201). */
  comparedAt: number | undefined
  renewalAskedAt: number | undefined
  /** When it was last asked for its queue of messages (OCPP-141). */
  queueAskedAt: number | undefined
  profileInUse = 0
  address = ''
  onlineSince: number | undefined
  replacements: number[] | undefined
  skewed = false
  /** Ids of all profiles that it last reported. */
  reportedIds: ReadonlySet<number> = new Set()
  /** Profiles at the station that are not ours, as last reported (OCPP-201). */
  foreign: readonly Reported[] = []

  constructor(tenant: string, identity: string, record: StationRecord, session: Session) {
    this.tenant = tenant
    this.identity = identity
    this.record = record
    this.session = session
  }

  /** What names it over all tenants and processes. */
  get key(): string {
    return keyOf(this.tenant, this.identity)
  }

  get caller(): { tenant: string; subject: string; user: string; kind: 'station'; roles: readonly [] } {
    return { tenant: this.tenant, subject: this.identity, user: this.identity, kind: 'station', roles: [] }
  }

  document(): NewDocument {
    return { tenant: this.tenant, kind: 'csms/Station', id: this.identity, parent: '', body: this.record }
  }

  /** Something worth a look on the station page; bounded, and what is said with every message takes one place. */
  flag(at: string, flag: string): void {
    if (this.record.flags.at(-1)?.flag === flag) return
    this.record.flags = [...this.record.flags.slice(-49), { at, flag }]
  }

  variable(component: string, name: string, instance?: string, evse?: number): Variable | undefined {
    return this.variables?.get(variableKey({ name: component, ...(evse === undefined ? {} : { evse: { id: evse } }) }, { name, ...(instance === undefined ? {} : { instance }) }))
  }

  /** Actual value of a variable, as text. */
  actual(component: string, name: string, instance?: string): string | undefined {
    return this.variable(component, name, instance)?.attributes.Actual?.value
  }

  /** The open transaction at an EVSE, newest first when a station left an orphan (OCPP-142). */
  running(evseId: number): Transaction | undefined {
    let found: Transaction | undefined
    for (const t of this.transactions.values()) {
      if (!t.ended && !t.orphaned && t.evseId === evseId && (!found || t.startedAt >= found.startedAt)) found = t
    }
    return found
  }

  /** EVSEs we have heard of. */
  evses(): number[] {
    const ids = new Set<number>()
    for (const key of Object.keys(this.record.connectors)) ids.add(Number(key.split('/')[0]))
    for (const t of this.transactions.values()) if (t.evseId !== undefined) ids.add(t.evseId)
    ids.delete(0)
    return [...ids].sort((a, b) => a - b)
  }
}
