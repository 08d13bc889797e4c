import { actionNamed } from './action.js'

/** Actions of stations that we know but do not offer: NotSupported (OCPP-057, 260, 266). */
const notOffered = new Set(['BatterySwap', 'VatNumberValidation', 'NotifySettlement', 'GetCertificateChainStatus'])

/** Is a CALL of a station ours to answer? An action of the other direction is known, but not for us (OCPP-057). */
export function offered(name: string, version: '1.6' | '2.0.1' | '2.1'): 'yes' | 'notSupported' | 'unknown' {
  const action = actionNamed.get(name)
  if (!action) return 'unknown'
  if (!action.in.includes(version)) return 'unknown'
  return action.from === 'csms' || notOffered.has(name) ? 'notSupported' : 'yes'
}
