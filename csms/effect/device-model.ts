import { deviceModelDocument, learn } from '#csms/message/notify-report.js'
import type { Payload } from '#csms/rpc/outgoing.js'
import type { Station } from '#csms/station.js'
import { isoMs } from '#csms/time.js'
import { store, type Effect, type EffectNeeds, type Result } from './effect.js'

const isPassword = (d: { component: { name: string }; variable: { name: string } }): boolean =>
  d.component.name.toLowerCase() === 'securityctrlr' && d.variable.name.toLowerCase() === 'basicauthpassword'

/** What must be true before a message goes out; the returned function takes it back when no answer comes (A01, OCPP-034). */
export async function prepare(station: Station, action: string, request: Payload, { passwords, journal }: Pick<EffectNeeds, 'passwords' | 'journal'>): Promise<(() => Promise<void>) | undefined> {
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
async function passwordAnswered(station: Station, accepted: boolean, needs: EffectNeeds): Promise<void> {
  const { record } = station
  if (accepted && record.nextPassword) record.password = record.nextPassword
  delete record.nextPassword
  // OCPP-042: the maker's password is gone; the next boot is Accepted.
  if (accepted && record.factoryCredentials) {
    delete record.factoryCredentials
    needs.ask(station, 'TriggerMessage', { requestedMessage: 'BootNotification' })
  }
  await store(station, needs)
}

export const setVariables: Effect = async (station, request, answer, needs) => {
  const asked = request.setVariableData as (Result & { attributeValue: string })[], results = answer.setVariableResult as Result[]
  for (const result of results) {
    // OCPP-094: matched by names, not by place.
    const sent = asked.find((d) => d.component.name === result.component.name && d.variable.name === result.variable.name
      && (d.variable.instance ?? '') === (result.variable.instance ?? '') && (d.attributeType ?? 'Actual') === (result.attributeType ?? 'Actual'))
    if (!sent) continue
    // OCPP-095: it is kept, and rules only after a reset.
    if (result.attributeStatus === 'RebootRequired') station.flag(isoMs(needs.clock.nowMs()), `${sent.component.name}.${sent.variable.name} needs a Reset`)
    if (isPassword(sent)) await passwordAnswered(station, result.attributeStatus === 'Accepted', needs)
    else if (result.attributeStatus === 'Accepted') {
      learn(station, { component: sent.component, variable: sent.variable, variableAttribute: [{ type: sent.attributeType ?? 'Actual', value: sent.attributeValue }] })
    }
  }
  await needs.journal.write([deviceModelDocument(station)])
}

export const getVariables: Effect = async (station, _request, answer, { journal }) => {
  for (const r of answer.getVariableResult as Result[]) {
    if (r.attributeStatus !== 'Accepted') continue
    learn(station, { component: r.component, variable: r.variable, variableAttribute: [{ type: r.attributeType ?? 'Actual', ...(r.attributeValue === undefined ? {} : { value: r.attributeValue }) }] })
  }
  await journal.write([deviceModelDocument(station)])
}

export const changeConfiguration: Effect = async (station, request, answer, needs) => {
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

export const getConfiguration: Effect = (station, _request, answer, needs) =>
  learn16(station, (answer.configurationKey as { key: string; readonly: boolean; value?: string }[] | undefined) ?? [], needs)

