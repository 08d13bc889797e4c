import { toIso } from '#core/quantity/interval.js'

/** What nearly every station writes needs no mending. */
const usual = /^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(?:\.\d{1,3})?Z$/

/** OCPP-072: a missing zone is UTC; more digits than milliseconds are cut. Epoch ms. */
export function stampMs(text: string): number {
  if (usual.test(text)) return Date.parse(text)
  const zoned = /(?:[Zz]|[+-]\d{2}:?\d{2})$/.test(text) ? text : `${text}Z`
  return Date.parse(zoned.replace(/(\.\d{3})\d+/, '$1').replace(/([+-]\d{2})(\d{2})$/, '$1:$2').replace(':60', ':59'))
}

export const isoMs = (ms: number): string => new Date(ms).toISOString()
export { toIso }
