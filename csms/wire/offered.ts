import { actionNamed } from './action.js'

/** Actions of stations that only a plug-in answers: without it NotSupported (OCPP-057, 260, 266). */
const plugIns: ReadonlySet<string> = new Set(['BatterySwap', 'VatNumberValidation', 'NotifySettlement'])

/**
 * Is a CALL of a station ours to answer? An action of the other direction is known, but not for us (OCPP-057); `plugged` are those actions
 * for which this deployment has a plug-in.
 */
export function offered(name: string, version: '1.6' | '2.0.1' | '2.1', plugged: ReadonlySet<string> = new Set()): 'yes' | 'notSupported' | 'unknown' {
  const action = actionNamed.get(name)
  if (!action) return 'unknown'
  if (!action.in.includes(version)) return 'unknown'
  return action.from === 'csms' || (plugIns.has(name) && !plugged.has(name)) ? 'notSupported' : 'yes'
}
