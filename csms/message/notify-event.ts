import { handler, in2x, type Handler } from '#csms/handler.js'
import type { Station, Variable } from '#csms/station.js'
import type { StationLog } from '#csms/station-log.js'
import { learn } from './notify-report.js'
import { asBefore, connectorState, storedOr } from './status-notification.js'

interface EventData {
  readonly eventId: number
  readonly timestamp: string
  readonly trigger: 'Alerting' | 'Delta' | 'Periodic'
  readonly actualValue: string
  readonly cleared?: boolean
  readonly severity?: number
  readonly variableMonitoringId?: number
  readonly component: Variable['component']
  readonly variable: Variable['variable']
}

/** OCPP-160: the equivalent of StatusNotification; an EVSE's or the station's state counts for each connector below it. */
function availability(station: Station, e: EventData): boolean {
  const { evse } = e.component
  const keys = Object.keys(station.record.connectors).filter((key) => evse === undefined || key.startsWith(`${evse.id}/`))
  // Interpretation: an EVSE of which no connector is known yet has one.
  const targets = evse?.connectorId !== undefined ? [`${evse.id}/${evse.connectorId}`] : evse && keys.length === 0 ? [`${evse.id}/1`] : keys
  const changed = targets.map((key) => {
    const [evseId, connectorId] = key.split('/').map(Number) as [number, number]
    return connectorState(station, evseId, connectorId, { status: e.actualValue, at: e.timestamp })
  })
  return changed.some(Boolean)
}

/** 2.1 says how severe it is; in 2.0.1 its monitor does (OCPP-222). */
const severityOf = (station: Station, e: EventData): number | undefined =>
  e.severity ?? (e.variableMonitoringId === undefined ? undefined : station.record.monitors[String(e.variableMonitoringId)]?.severity)

/** N07, N08, G05: answered empty; states are updated, problems become incidents (OCPP-163, 222). */
export function notifyEvent({ stationLog }: { stationLog: StationLog }): Handler[] {
  return [handler<{ eventData: EventData[] }>('NotifyEvent', async (station, { eventData }) => {
    let changed = false
    const undo = asBefore(station), kept: { type: string; payload: object; alarm: boolean }[] = []
    for (const e of eventData) {
      const name = e.variable.name.toLowerCase()
      learn(station, { component: e.component, variable: e.variable, variableAttribute: [{ type: 'Actual', value: e.actualValue }] })
      if (name === 'availabilitystate') changed = availability(station, e) || changed
      const alarm = (name === 'problem' && e.actualValue === 'true') || (e.trigger === 'Alerting' && (severityOf(station, e) ?? 9) <= 4 && !e.cleared)
      kept.push({ type: alarm ? `${e.component.name}.${e.variable.name}` : 'NotifyEvent', payload: e, alarm })
    }
    await storedOr(undo, stationLog.keepAll(station, kept, changed))
    return {}
  }, in2x)]
}
