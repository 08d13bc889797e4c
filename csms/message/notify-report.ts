import type { DocumentStore, NewDocument } from '#core/port/store/document.js'
import { handler, in2x, type Handler } from '#csms/handler.js'
import type { Journal } from '#csms/journal.js'
import type { Parts } from '#csms/parts.js'
import { variableKey, type Station, type Variable } from '#csms/station.js'

interface ReportData {
  readonly component: Variable['component']
  readonly variable: Variable['variable']
  readonly variableAttribute: readonly { type?: string; value?: string; mutability?: string; persistent?: boolean; constant?: boolean }[]
  readonly variableCharacteristics?: Variable['characteristics']
}

interface NotifyReport {
  readonly requestId: number
  readonly seqNo: number
  readonly tbc?: boolean
  readonly reportData?: readonly ReportData[]
}

export const deviceModelDocument = (station: Station): NewDocument =>
  ({ tenant: station.tenant, kind: 'csms/DeviceModel', id: station.identity, parent: '', body: [...station.variables?.values() ?? []] })

export async function loadDeviceModel(station: Station, documents: DocumentStore): Promise<void> {
  if (station.variables) return
  const stored = await documents.get<Variable[]>(station.tenant, 'csms/DeviceModel', station.identity)
  station.variables ??= new Map((stored?.body ?? []).map((v) => [variableKey(v.component, v.variable), v]))
}

/** A reported variable joins what is known; nothing is dropped for being unknown or for missing in a report (OCPP-092, 280). */
export function learn(station: Station, data: ReportData): void {
  const key = variableKey(data.component, data.variable)
  const before = station.variables?.get(key)
  const attributes = { ...before?.attributes }
  for (const { type, ...attribute } of data.variableAttribute) attributes[type ?? 'Actual'] = { ...attributes[type ?? 'Actual'], ...attribute }
  const characteristics = data.variableCharacteristics ?? before?.characteristics
  ;(station.variables ??= new Map()).set(key, { component: data.component, variable: data.variable, attributes, ...(characteristics ? { characteristics } : {}) })
}

/** B07: parts of a report, joined by requestId; each is answered empty. */
export function notifyReport({ documents, journal, parts }: { documents: DocumentStore; journal: Journal; parts: Parts }): Handler[] {
  return [handler<NotifyReport>('NotifyReport', async (station, report) => {
    await loadDeviceModel(station, documents)
    for (const data of report.reportData ?? []) learn(station, data)
    await journal.write([deviceModelDocument(station)])
    parts.part(station, 'NotifyReport', report.requestId, report.seqNo, report.tbc ?? false, report.reportData ?? [])
    return {}
  }, in2x)]
}
