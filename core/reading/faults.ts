import type { Channel, Quality, ReadingInput } from '#core/reading/reading.js'

/** One bad field of one row: rows are counted from 1, as people count lines of a file. */
export interface RowFault {
  readonly row: number
  readonly field: string
  readonly reason: string
}

const lengths = new Set([1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60])
const channels: readonly Channel[] = ['import', 'export']
const qualities: readonly Quality[] = ['RAW', 'VALID', 'SUSPECT', 'EST_LINEAR', 'EST_LIKEDAY', 'EST_PROFILE', 'EDITED', 'MISSING']
/** 1 GWh in one interval of one service point is a unit error, not a reading (REL-060's "kW sent as W"). */
const mostWh = 1e9

/** CORE-117's hard rules, the ones without which a value cannot be stored; softer ones flag and keep. */
export function readingFaults(r: ReadingInput, row: number): RowFault[] {
  const out: RowFault[] = []
  const say = (field: string, reason: string): void => { out.push({ row, field, reason }) }
  if (typeof r.servicePoint !== 'string' || r.servicePoint === '') say('servicePoint', 'is missing')
  if (!lengths.has(r.minutes)) say('minutes', `must be one of ${[...lengths].join(', ')}`)
  if (!Number.isSafeInteger(r.start)) say('start', 'is not a time with whole seconds')
  else if (lengths.has(r.minutes) && r.start % (r.minutes * 60) !== 0) say('start', `is not aligned to ${r.minutes} minutes`)
  if (!Number.isSafeInteger(r.Wh)) say('Wh', 'must be whole watt-hours')
  else if (r.Wh < 0) say('Wh', `must not be negative on the ${r.channel} channel; export has a channel of its own`)
  else if (r.Wh > mostWh) say('Wh', `is above ${mostWh}: wrong unit?`)
  if (!channels.includes(r.channel)) say('channel', `must be ${channels.join(' or ')}`)
  if (!qualities.includes(r.quality)) say('quality', `must be one of ${qualities.join(', ')}`)
  return out
}
