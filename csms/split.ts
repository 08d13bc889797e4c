import type { Payload } from './rpc/outgoing.js'
import type { Station } from './station.js'

/** Requests whose list a station limits by number and by bytes, and where their results are (OCPP-094, 095, 221). */
const lists: Record<string, { request: string; response: string; controller: string }> = {
  GetVariables: { request: 'getVariableData', response: 'getVariableResult', controller: 'DeviceDataCtrlr' },
  SetVariables: { request: 'setVariableData', response: 'setVariableResult', controller: 'DeviceDataCtrlr' },
  SetVariableMonitoring: { request: 'setMonitoringData', response: 'setMonitoringResult', controller: 'MonitoringCtrlr' },
  ClearVariableMonitoring: { request: 'id', response: 'clearMonitoringResult', controller: 'MonitoringCtrlr' },
}

const least = (text: string | undefined, unknown: number): number => {
  const n = Number(text ?? NaN)
  return Number.isFinite(n) && n >= 1 ? n : unknown
}

/** Pieces that the station takes, in order; one entry each until it said more. */
export function split(station: Station, action: string, payload: Payload): Payload[] {
  if (action === 'SendLocalList') return localList(station, payload)
  const list = lists[action]
  if (!list || station.session.version === '1.6') return [payload]
  const items = payload[list.request] as unknown[]
  const most = least(station.actual(list.controller, 'ItemsPerMessage', action), 1)
  const bytes = least(station.actual(list.controller, 'BytesPerMessage', action), Infinity)
  return pieces(items, most, bytes).map((piece) => ({ ...payload, [list.request]: piece }))
}

function pieces(items: readonly unknown[], most: number, bytes: number): unknown[][] {
  const out: unknown[][] = []
  let size = 0
  for (const item of items) {
    const length = Buffer.byteLength(JSON.stringify(item)) + 1
    const last = out.at(-1)
    if (last && last.length < most && size + length <= bytes - 64) {
      last.push(item)
      size += length
    } else {
      out.push([item])
      size = length
    }
  }
  return out
}

/** OCPP-120: a list too long for one message goes on as Differential, each part with the next version number. */
function localList(station: Station, payload: Payload): Payload[] {
  const old = station.session.version === '1.6', version = old ? 'listVersion' : 'versionNumber'
  const most = least(old ? station.actual('1.6', 'SendLocalListMaxLength') : station.actual('LocalAuthListCtrlr', 'ItemsPerMessage'), Infinity)
  const parts = pieces((payload.localAuthorizationList ?? []) as unknown[], most, least(station.actual('LocalAuthListCtrlr', 'BytesPerMessage'), Infinity))
  if (parts.length <= 1) return [payload]
  return parts.map((part, i) => ({ ...payload, localAuthorizationList: part, [version]: Number(payload[version]) + i, ...(i > 0 ? { updateType: 'Differential' } : {}) }))
}

export function join(action: string, answers: readonly Payload[]): Payload {
  const list = lists[action], first = answers[0] ?? {}
  if (action === 'SendLocalList') return answers.at(-1) ?? {}
  if (!list || answers.length <= 1) return first
  return { ...first, [list.response]: answers.flatMap((a) => a[list.response] as unknown[]) }
}
