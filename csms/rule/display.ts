import type { Station } from '#csms/station.js'
import { when, type Check } from './rule.js'

const among = (station: Station, variable: string): string[] | undefined => {
  const text = station.variable('DisplayMessageCtrlr', variable)?.characteristics?.valuesList ?? station.actual('DisplayMessageCtrlr', variable)
  return text === undefined || text === '' ? undefined : text.split(',').map((v) => v.trim())
}

/** O01 (OCPP-224): formats and priorities that the station knows; a message of a transaction needs that transaction. */
export function setDisplayMessageRule(station: Station, { message: m }: { message: { priority: string; transactionId?: string; startDateTime?: string; endDateTime?: string; message: { format: string } } }): Check[] {
  const formats = among(station, 'SupportedFormats'), priorities = among(station, 'SupportedPriorities')
  return [
    ...when(formats !== undefined && !formats.includes(m.message.format), 'OCPP-224', `the station shows ${formats?.join(', ')}`),
    ...when(priorities !== undefined && !priorities.includes(m.priority), 'OCPP-224', `the station knows the priorities ${priorities?.join(', ')}`),
    ...when(m.startDateTime !== undefined && m.endDateTime !== undefined && Date.parse(m.startDateTime) >= Date.parse(m.endDateTime), 'OCPP-224', 'startDateTime is before endDateTime'),
  ]
}

/** I02 (OCPP-166): only where the station has a cost display. */
export const costUpdatedRule = (station: Station, _r: object): Check[] =>
  when(station.actual('TariffCostCtrlr', 'Available', 'Cost') === 'false', 'OCPP-166', 'the station shows no cost')
