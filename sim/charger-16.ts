/**
 * A station that speaks 1.6-J, on top of the one that thinks in 2.x (OCPP §17): what it says and what it is told, translated. The
 * server issues the integer transaction ids, so each is learnt from the answer to StartTransaction.
 */
type Payload = Record<string, unknown>

export interface Dialect {
  /** The 1.6 message for a 2.x one; undefined when 1.6 has none. */
  out(action: string, payload: Payload): { action: string; payload: Payload } | undefined
  /** Learns from the answer to what `out` made. */
  heard(action: string, payload: Payload, answer: Payload): void
  /** A request of the server in words of 2.x, and its answer back. */
  in(action: string, payload: Payload): Payload
  back(action: string, request: Payload, answer: Payload): Payload
}

interface Sampled { readonly value: number; readonly context?: string; readonly measurand?: string; readonly unitOfMeasure?: { readonly unit?: string } }
interface Metered { readonly timestamp: string; readonly sampledValue: readonly Sampled[] }

const purposes: Readonly<Record<string, string>> = { ChargePointMaxProfile: 'ChargingStationMaxProfile' }
const metered = (values: unknown): Payload[] => (values as readonly Metered[]).map(({ timestamp, sampledValue }) => ({
  timestamp, sampledValue: sampledValue.map(({ value, unitOfMeasure, ...rest }) => ({ value: String(value), ...rest, ...(unitOfMeasure?.unit ? { unit: unitOfMeasure.unit } : {}) })),
}))
const register = (values: unknown): number =>
  Math.round((values as readonly Metered[])[0]?.sampledValue.find((s) => (s.measurand ?? '').startsWith('Energy.Active.Import'))?.value ?? 0)

export function dialect16(): Dialect {
  const ids = new Map<string, number>()
  const ownId = (id: unknown): string | undefined => [...ids].find(([, n]) => n === id)?.[0]

  function event(e: Payload): { action: string; payload: Payload } | undefined {
    const { transactionId } = e.transactionInfo as { transactionId: string }
    const connectorId = (e.evse as { id: number }).id, id = ids.get(transactionId)
    if (e.eventType === 'Started') {
      return { action: 'StartTransaction', payload: { connectorId, idTag: String((e.idToken as { idToken: string }).idToken).slice(0, 20), meterStart: register(e.meterValue), timestamp: e.timestamp } }
    }
    if (e.eventType === 'Ended') return { action: 'StopTransaction', payload: { transactionId: id ?? 0, meterStop: register(e.meterValue), timestamp: e.timestamp, reason: 'EVDisconnected' } }
    return { action: 'MeterValues', payload: { connectorId, ...(id === undefined ? {} : { transactionId: id }), meterValue: metered(e.meterValue) } }
  }

  return {
    out(action, p) {
      switch (action) {
        case 'BootNotification': {
          const c = p.chargingStation as Payload
          return { action, payload: { chargePointVendor: c.vendorName, chargePointModel: c.model, chargePointSerialNumber: c.serialNumber, firmwareVersion: c.firmwareVersion } }
        }
        case 'StatusNotification': return { action, payload: { connectorId: p.evseId, errorCode: 'NoError', status: p.connectorStatus === 'Occupied' ? 'Charging' : p.connectorStatus, timestamp: p.timestamp } }
        case 'TransactionEvent': return event(p)
        case 'MeterValues': return { action, payload: { connectorId: p.evseId, meterValue: metered(p.meterValue) } }
        case 'Heartbeat': return { action, payload: p }
        default: return undefined
      }
    },
    heard(action, payload, answer) {
      if (action === 'TransactionEvent' && payload.eventType === 'Started') ids.set((payload.transactionInfo as { transactionId: string }).transactionId, Number(answer.transactionId))
    },
    in(action, p) {
      switch (action) {
        case 'SetChargingProfile': {
          const { chargingProfileId, chargingProfilePurpose, transactionId, chargingSchedule, ...rest } = p.csChargingProfiles as Payload
          return { evseId: p.connectorId, chargingProfile: {
            ...rest, id: chargingProfileId, chargingProfilePurpose: purposes[chargingProfilePurpose as string] ?? chargingProfilePurpose, chargingSchedule: [chargingSchedule],
            ...(transactionId === undefined ? {} : { transactionId: ownId(transactionId) ?? 'unknown' }),
          } }
        }
        case 'ClearChargingProfile': return { ...(p.id === undefined ? {} : { chargingProfileId: p.id }), chargingProfileCriteria: {
          ...(p.connectorId === undefined ? {} : { evseId: p.connectorId }), ...(p.stackLevel === undefined ? {} : { stackLevel: p.stackLevel }),
          ...(p.chargingProfilePurpose === undefined ? {} : { chargingProfilePurpose: purposes[p.chargingProfilePurpose as string] ?? p.chargingProfilePurpose }),
        } }
        case 'GetCompositeSchedule': return { ...p, evseId: p.connectorId }
        case 'ChangeAvailability': return { operationalStatus: p.type }
        default: return p
      }
    },
    back(action, request, answer) {
      // 1.6 says why in no field, and has the schedule beside its start.
      const { status, schedule } = answer as { status?: string; schedule?: Payload }
      if (action === 'GetCompositeSchedule' && schedule) {
        const { duration, chargingRateUnit, chargingSchedulePeriod } = schedule
        return { status, connectorId: request.connectorId, scheduleStart: schedule.scheduleStart, chargingSchedule: { duration, chargingRateUnit, chargingSchedulePeriod } }
      }
      return status === undefined ? answer : { status }
    },
  }
}
