import type { Clock } from '#core/port/clock.js'
import type { Journal } from './journal.js'
import { deviceModelDocument, learn } from './message/notify-report.js'
import { transactionDocument } from './message/transaction-event.js'
import type { Passwords } from './password.js'
import type { Payload } from './rpc/outgoing.js'
import { ledgerDocument, type LedgerEntry } from './smart-charging/ledger.js'
import type { Station, Variable } from './station.js'
import type { ChargingProfile } from './wire/charging-profile.js'

export interface EffectNeeds {
  readonly clock: Clock
  readonly journal: Journal
  readonly passwords: Passwords
}

type Effect = (station: Station, request: Payload, answer: Payload, needs: EffectNeeds) => Promise<void>

interface Result {
  readonly attributeType?: string
  readonly attributeStatus: string
  readonly attributeValue?: string
  readonly component: Variable['component']
  readonly variable: Variable['variable']
}

const isPassword = (d: { component: { name: string }; variable: { name: string } }): boolean =>
  d.component.name.toLowerCase() === 'securityctrlr' && d.variable.name.toLowerCase() === 'basicauthpassword'

/** What must be true before a message goes out; the returned function takes it back when no answer comes (A01, OCPP-034). */
export async function prepare(station: Station, action: string, request: Payload, { passwords, journal }: EffectNeeds): Promise<(() => Promise<void>) | undefined> {
  let password: string | undefined
  if (action === 'SetVariables') password = (request.setVariableData as (Result & { attributeValue: string })[]).find(isPassword)?.attributeValue
  if (action === 'ChangeConfiguration' && request.key === 'AuthorizationKey') password = String(request.value)
  if (password === undefined) return undefined
  station.record.nextPassword = await passwords.store(station.identity, password, 'human')
  await journal.write([station.document()])
  return async () => {
    delete station.record.nextPassword
    await journal.write([station.document()])
  }
}

/** A01.FR.02-04: Accepted makes the new password the only one; anything else leaves the old. */
async function passwordAnswered(station: Station, accepted: boolean, { journal }: EffectNeeds): Promise<void> {
  const { record } = station
  if (accepted && record.nextPassword) record.password = record.nextPassword
  delete record.nextPassword
  await journal.write([station.document()])
}

const setVariables: Effect = async (station, request, answer, needs) => {
  const asked = request.setVariableData as (Result & { attributeValue: string })[], results = answer.setVariableResult as Result[]
  for (const result of results) {
    // OCPP-094: matched by names, not by place.
    const sent = asked.find((d) => d.component.name === result.component.name && d.variable.name === result.variable.name
      && (d.variable.instance ?? '') === (result.variable.instance ?? '') && (d.attributeType ?? 'Actual') === (result.attributeType ?? 'Actual'))
    if (!sent) continue
    if (isPassword(sent)) await passwordAnswered(station, result.attributeStatus === 'Accepted', needs)
    else if (result.attributeStatus === 'Accepted') {
      learn(station, { component: sent.component, variable: sent.variable, variableAttribute: [{ type: sent.attributeType ?? 'Actual', value: sent.attributeValue }] })
    }
  }
  await needs.journal.write([deviceModelDocument(station)])
}

const getVariables: Effect = async (station, _request, answer, { journal }) => {
  for (const r of answer.getVariableResult as Result[]) {
    if (r.attributeStatus !== 'Accepted') continue
    learn(station, { component: r.component, variable: r.variable, variableAttribute: [{ type: r.attributeType ?? 'Actual', ...(r.attributeValue === undefined ? {} : { value: r.attributeValue }) }] })
  }
  await journal.write([deviceModelDocument(station)])
}

/** Profiles that an operator sends by hand are in the ledger too, so that ours never collide with them (OCPP-184, 200). */
const setChargingProfile: Effect = async (station, request, answer, { journal, clock }) => {
  if (answer.status !== 'Accepted' || station.session.version === '1.6') return
  const profile = request.chargingProfile as ChargingProfile
  const entry: LedgerEntry = { id: profile.id, evseId: request.evseId as number, profile, state: 'installed', changedAt: clock.nowMs() }
  station.ledger.set(profile.id, entry)
  await journal.write([ledgerDocument(station.tenant, station.identity, entry)])
}

const clearChargingProfile: Effect = async (station, request, answer, { journal, clock }) => {
  if (answer.status !== 'Accepted' && answer.status !== 'Unknown') return
  const id = request.chargingProfileId ?? request.id
  const c = (request.chargingProfileCriteria ?? (station.session.version === '1.6' ? { evseId: request.connectorId, stackLevel: request.stackLevel } : {})) as { evseId?: number; stackLevel?: number; chargingProfilePurpose?: string }
  const gone = [...station.ledger.values()].filter((e) => e.state === 'installed' && (id !== undefined ? e.id === id
    : (c.evseId ?? e.evseId) === e.evseId && (c.stackLevel ?? e.profile.stackLevel) === e.profile.stackLevel
      && (c.chargingProfilePurpose ?? e.profile.chargingProfilePurpose) === e.profile.chargingProfilePurpose))
  for (const e of gone) {
    e.state = 'gone'
    e.changedAt = clock.nowMs()
  }
  if (gone.length > 0) await journal.write(gone.map((e) => ledgerDocument(station.tenant, station.identity, e)))
}

/** OCPP-041: the first connection at the higher profile will make it the only one. */
const setNetworkProfile: Effect = async (station, request, answer, { journal }) => {
  if (answer.status !== 'Accepted') return
  const { securityProfile } = request.connectionData as { securityProfile: number }
  const { record } = station
  const downgrade = securityProfile === 2 && record.securityProfiles.includes(3)
  if (securityProfile <= Math.min(...record.securityProfiles) && !downgrade) return
  record.upgradingTo = securityProfile
  await journal.write([station.document()])
}

/** OCPP-151: Accepted is a promise only; a transactionId says that the cable came first (F01.FR.13). */
const requestStartTransaction: Effect = async (station, request, answer, { clock, journal }) => {
  if (answer.status !== 'Accepted') return
  const id = Number(request.remoteStartId ?? (station.record.counters.remoteStart += 1))
  const t = answer.transactionId === undefined ? undefined : station.transactions.get(answer.transactionId as string)
  station.remoteStarts.set(id, { at: clock.nowMs(), state: answer.transactionId === undefined ? 'accepted' : 'started' })
  for (const old of station.remoteStarts.keys()) if (station.remoteStarts.size > 50) station.remoteStarts.delete(old)
  if (!t) return
  t.remoteStartId ??= id
  await journal.write([transactionDocument(station, t)])
}

const changeAvailability: Effect = async (station, request, answer, { journal }) => {
  if (answer.status === 'Rejected') return
  const evse = request.evse as { id: number; connectorId?: number } | undefined
  const where = station.session.version === '1.6' ? (request.connectorId === 0 ? '' : String(request.connectorId))
    : evse === undefined ? '' : evse.connectorId === undefined ? String(evse.id) : `${evse.id}/${evse.connectorId}`
  station.record.wanted[where] = (request.operationalStatus ?? request.type) as 'Operative' | 'Inoperative'
  await journal.write([station.document()])
}

const sendLocalList: Effect = async (station, request, answer, { journal }) => {
  if (answer.status !== 'Accepted') return
  station.record.counters.localList = Number(request.versionNumber ?? request.listVersion)
  await journal.write([station.document()])
}

const changeConfiguration: Effect = async (station, request, answer, needs) => {
  const accepted = answer.status === 'Accepted' || answer.status === 'RebootRequired'
  if (request.key === 'AuthorizationKey') return passwordAnswered(station, answer.status === 'Accepted', needs)
  if (accepted) await learn16(station, [{ key: String(request.key), value: String(request.value) }], needs)
}

/** 1.6 configuration keys live in the same device model, under the component `1.6` (OCPP §17). */
async function learn16(station: Station, keys: readonly { key: string; readonly?: boolean; value?: string }[], { journal }: EffectNeeds): Promise<void> {
  for (const { key, readonly, value } of keys) {
    learn(station, { component: { name: '1.6' }, variable: { name: key }, variableAttribute: [{
      type: 'Actual', ...(value === undefined ? {} : { value }), ...(readonly === undefined ? {} : { mutability: readonly ? 'ReadOnly' : 'ReadWrite' }),
    }] })
  }
  await journal.write([deviceModelDocument(station)])
}

const getConfiguration: Effect = (station, _request, answer, needs) =>
  learn16(station, (answer.configurationKey as { key: string; readonly: boolean; value?: string }[] | undefined) ?? [], needs)

/** What follows from a station's answer, by action. */
export const effects: ReadonlyMap<string, Effect> = new Map([
  ['ChangeAvailability', changeAvailability],
  ['ChangeConfiguration', changeConfiguration],
  ['ClearChargingProfile', clearChargingProfile],
  ['GetConfiguration', getConfiguration],
  ['GetVariables', getVariables],
  ['RequestStartTransaction', requestStartTransaction],
  ['SendLocalList', sendLocalList],
  ['SetChargingProfile', setChargingProfile],
  ['SetNetworkProfile', setNetworkProfile],
  ['SetVariables', setVariables],
])
