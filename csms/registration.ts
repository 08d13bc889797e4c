import type { Station } from './station.js'

/** Part 2 B02.FR.09, B03.FR.07: what a station may say before it is accepted: its boot, and what we asked for (OCPP-083…085). */
export function mayHear(station: Station, action: string, nowMs: number): boolean {
  if (station.record.registration === 'accepted' || action === 'BootNotification') return true
  // B03.FR.07: what was asked for while Pending is not heard once it is Rejected.
  if (station.record.registration === 'rejected') return false
  return (station.allowed?.get(action) ?? 0) > nowMs
}

/** OCPP-082, 084: Pending forbids remote starts and stops; Rejected and before the first boot, all but asking for a boot. */
const notWhilePending = new Set(['RequestStartTransaction', 'RequestStopTransaction', 'RemoteStartTransaction', 'RemoteStopTransaction', 'SetChargingProfile', 'ClearChargingProfile'])

export function mayCall(station: Station, action: string): boolean {
  switch (station.record.registration) {
    case 'accepted': return true
    case 'none': case 'pending': return !notWhilePending.has(action)
    case 'rejected': return action === 'TriggerMessage'
  }
}

/** OCPP-084: a rejected station is asked for its boot, and for nothing else. */
export const mayAsk = (station: Station, action: string, payload: object): boolean => station.record.registration !== 'rejected' || action !== 'TriggerMessage'
  || (payload as { requestedMessage?: string }).requestedMessage === 'BootNotification'

/** Messages that answer one of ours, open from before it goes out (OCPP-083). */
export function answersTo(action: string, payload: Readonly<Record<string, unknown>>): string[] {
  switch (action) {
    case 'GetBaseReport': case 'GetReport': return ['NotifyReport']
    case 'GetMonitoringReport': return ['NotifyMonitoringReport']
    case 'GetLog': return ['LogStatusNotification']
    case 'UpdateFirmware': return ['FirmwareStatusNotification']
    case 'CustomerInformation': return ['NotifyCustomerInformation']
    case 'GetDisplayMessages': return ['NotifyDisplayMessages']
    case 'GetChargingProfiles': return ['ReportChargingProfiles']
    case 'TriggerMessage': case 'ExtendedTriggerMessage': {
      const name = String(payload.requestedMessage)
      return [name.startsWith('Sign') ? 'SignCertificate' : name]
    }
    default: return []
  }
}
