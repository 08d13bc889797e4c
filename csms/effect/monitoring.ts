import type { Station, Variable } from '#csms/station.js'
import { store, type Effect } from './effect.js'

interface Asked { readonly value: number; readonly type: string; readonly severity: number; readonly component: Variable['component']; readonly variable: Variable['variable'] }
interface Told { readonly id?: number; readonly status: string; readonly type: string; readonly severity: number; readonly component: Variable['component']; readonly variable: Variable['variable'] }

/** A monitor becomes ours with the id that the station gave it (N04, OCPP-221). */
export const setVariableMonitoring: Effect = async (station, request, answer, needs) => {
  const asked = request.setMonitoringData as Asked[]
  for (const { id, status, ...told } of answer.setMonitoringResult as Told[]) {
    if (id === undefined || status !== 'Accepted') continue
    const value = asked.find((a) => a.type === told.type && a.component.name === told.component.name && a.variable.name === told.variable.name)?.value ?? 0
    station.record.monitors[String(id)] = { component: told.component, variable: told.variable, type: told.type, severity: told.severity, value }
  }
  await store(station, needs)
}

export const clearVariableMonitoring: Effect = async (station, _request, answer, needs) => {
  for (const { id, status } of answer.clearMonitoringResult as { id: number; status: string }[]) if (status !== 'Rejected') delete station.record.monitors[String(id)]
  await store(station, needs)
}

/** Monitors as the station reports them, its own included (N02). */
export function learnMonitors(station: Station, monitors: readonly { component: Variable['component']; variable: Variable['variable']; variableMonitoring: readonly { id: number; type: string; value: number; severity: number }[] }[]): void {
  for (const { component, variable, variableMonitoring } of monitors) {
    for (const { id, type, value, severity } of variableMonitoring) station.record.monitors[String(id)] = { component, variable, type, value, severity }
  }
}
