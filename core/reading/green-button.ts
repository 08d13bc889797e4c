import type { Readable } from 'node:stream'
import { SaxesParser } from 'saxes'
import { Refusal } from '#core/error.js'
import type { Channel, Quality, Reading } from '#core/reading/reading.js'

const espi = 'http://naesb.org/espi'
const deepest = 32

/** A value of a Green Button file, before anything is believed about it; `line` is where its IntervalReading ends. */
export interface GreenButtonRow {
  readonly line: number
  readonly start: number
  readonly seconds: number
  readonly Wh: number
  readonly channel: Channel
  readonly quality: Quality
}

/** ESPI QualityOfReading codes in the words of CORE-116. */
const qualityOf: Readonly<Record<string, Quality>> = { '0': 'VALID', '7': 'EDITED', '8': 'EST_PROFILE', '9': 'EST_LINEAR', '10': 'SUSPECT', '11': 'EST_PROFILE', '12': 'EST_PROFILE', '13': 'RAW', '14': 'RAW', '17': 'VALID', '18': 'VALID', '19': 'VALID' }
const codeOf: Readonly<Record<Quality, number>> = { RAW: 14, VALID: 0, SUSPECT: 10, EST_LINEAR: 9, EST_LIKEDAY: 8, EST_PROFILE: 8, EDITED: 7, MISSING: 10 }

interface Meaning { readonly flow: string; readonly power: number; readonly uom: string }

/**
 * NAESB REQ.21 (ESPI): an Atom feed of entries; an IntervalBlock belongs to the MeterReading whose related link leads to its ReadingType.
 * Interpretation: utilities' files link by path in many ways, so a block takes the ReadingType that its MeterReading entry names, else the only
 * one of the file, else the last one before it. Values are whole units × 10^powerOfTenMultiplier of Wh (uom 72); other commodities are refused.
 */
export async function readGreenButton(stream: Readable): Promise<{ rows: GreenButtonRow[]; faults: { line: number; reason: string }[] }> {
  const parser = new SaxesParser({ xmlns: true }), rows: GreenButtonRow[] = [], faults: { line: number; reason: string }[] = []
  const types: { self: string; meaning: Meaning }[] = [], links = new Map<string, string[]>()
  const pending: { line: number; start: string; duration: string; value: string; quality: string; up: string; lastType: number }[] = []
  const path: string[] = []
  let text = '', fatal: Error | undefined, self = '', up = '', related: string[] = [], type: Record<string, string> = {}, reading: Record<string, string> = {}, sawEspi = false
  parser.on('error', (error) => { fatal ??= error })
  parser.on('doctype', () => { fatal ??= new Error('a DOCTYPE is not taken') })
  parser.on('opentag', (tag) => {
    path.push(tag.local)
    if (path.length > deepest) fatal ??= new Error(`nested deeper than ${deepest}`)
    if (tag.uri === espi) sawEspi = true
    text = ''
    if (tag.local === 'entry') { self = ''; up = ''; related = [] }
    if (tag.local === 'link') {
      const of = (name: string): string => String((tag.attributes[name] as { value?: string } | undefined)?.value ?? '')
      if (of('rel') === 'self') self = of('href')
      if (of('rel') === 'up') up = of('href')
      if (of('rel') === 'related') related.push(of('href'))
    }
    if (tag.local === 'ReadingType') type = {}
    if (tag.local === 'IntervalReading') reading = {}
  })
  parser.on('text', (t) => { if (text.length < 4096) text += t })
  parser.on('closetag', (tag) => {
    const value = text.trim(), within = path[path.length - 2]
    if (within === 'ReadingType') type[tag.local] = value
    if (path.includes('IntervalReading')) reading[within === 'ReadingQuality' ? 'quality' : tag.local] = value
    if (tag.local === 'ReadingType') types.push({ self, meaning: { flow: type.flowDirection ?? '1', power: Number(type.powerOfTenMultiplier ?? 0), uom: type.uom ?? '72' } })
    if (tag.local === 'entry' && related.length > 0) links.set(self, related)
    if (tag.local === 'IntervalReading') pending.push({ line: parser.line, start: reading.start ?? '', duration: reading.duration ?? '', value: reading.value ?? '', quality: reading.quality ?? '', up, lastType: types.length - 1 })
    path.pop()
    text = ''
  })
  stream.setEncoding('utf8')
  for await (const chunk of stream as AsyncIterable<string>) {
    parser.write(chunk)
    if (fatal) throw new Refusal('invalid', `line ${parser.line}: ${fatal.message}`, { faults: [{ path: `${parser.line}/`, reason: fatal.message }] })
  }
  parser.close()
  if (fatal || !sawEspi) throw new Refusal('invalid', fatal ? (fatal as Error).message : 'this is no Green Button file: nothing in it is ESPI', { faults: [{ path: `${parser.line}/`, reason: 'is not ESPI' }] })
  const meanings = new Map<string, Meaning | undefined>()
  const meaningOf = (block: { up: string; lastType: number }): Meaning | undefined => {
    const key = `${block.up} ${block.lastType}`
    if (!meanings.has(key)) {
      // …/MeterReading/1/IntervalBlock: the entry whose self is the part before it
      const owner = [...links].find(([at]) => at !== '' && block.up.startsWith(at)), named = owner && types.find((t) => owner[1].some((href) => href === t.self))
      meanings.set(key, named?.meaning ?? (types.length === 1 ? types[0]!.meaning : types[block.lastType]?.meaning))
    }
    return meanings.get(key)
  }
  for (const p of pending) {
    const meaning = meaningOf(p), say = (reason: string): void => { faults.push({ line: p.line, reason }) }
    const start = Number(p.start), seconds = Number(p.duration), Wh = Number(p.value) * 10 ** (meaning?.power ?? 0)
    if (!/^\d{1,12}$/.test(p.start) || !/^\d{1,6}$/.test(p.duration)) say('an IntervalReading needs start and duration in whole seconds')
    else if (!/^-?\d{1,15}$/.test(p.value)) say('an IntervalReading needs a whole value')
    else if (meaning && meaning.uom !== '72') say(`uom ${meaning.uom} is not watt-hours (72)`)
    else if (!Number.isInteger(Wh)) say(`${p.value} × 10^${meaning?.power} is not whole watt-hours`)
    else rows.push({ line: p.line, start, seconds, Wh, channel: meaning?.flow === '19' ? 'export' : 'import', quality: qualityOf[p.quality] ?? 'RAW' })
  }
  return { rows, faults }
}

const escape = (s: string): string => s.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

/** The same form out: one usage point, a meter reading for each channel that has values, one block a batch. */
export async function* feedOf(title: string, nowMs: number, batches: AsyncIterable<readonly Reading[]>): AsyncGenerator<string> {
  const stamp = new Date(nowMs).toISOString(), entry = (self: string, more: string, content: string): string =>
    `<entry><link rel="self" href="${self}"/>${more}<title>${escape(title)}</title><published>${stamp}</published><updated>${stamp}</updated><content type="application/xml">${content}</content></entry>\n`
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xmlns:espi="${espi}"><title>Green Button Usage Feed</title><updated>${stamp}</updated>\n`
  yield entry('/UsagePoint/1', '', '<espi:UsagePoint><espi:ServiceCategory><espi:kind>0</espi:kind></espi:ServiceCategory></espi:UsagePoint>')
  let n = 0, current = ''
  for await (const batch of batches) {
    for (let i = 0; i < batch.length;) {
      const { channel, minutes } = batch[i]!, key = `${channel} ${minutes}`
      let end = i
      while (end < batch.length && batch[end]!.channel === channel && batch[end]!.minutes === minutes) end++
      if (key !== current) {
        current = key
        n++
        yield entry(`/UsagePoint/1/MeterReading/${n}`, `<link rel="related" href="/ReadingType/${n}"/>`, '<espi:MeterReading/>')
        yield entry(`/ReadingType/${n}`, '', `<espi:ReadingType><espi:accumulationBehaviour>4</espi:accumulationBehaviour><espi:commodity>1</espi:commodity><espi:flowDirection>${channel === 'export' ? 19 : 1}</espi:flowDirection><espi:intervalLength>${minutes * 60}</espi:intervalLength><espi:powerOfTenMultiplier>0</espi:powerOfTenMultiplier><espi:uom>72</espi:uom></espi:ReadingType>`)
      }
      const some = batch.slice(i, end), last = some.at(-1)!
      yield entry(`/UsagePoint/1/MeterReading/${n}/IntervalBlock/${some[0]!.start}`, `<link rel="up" href="/UsagePoint/1/MeterReading/${n}/IntervalBlock"/>`,
        `<espi:IntervalBlock><espi:interval><espi:duration>${last.start + last.minutes * 60 - some[0]!.start}</espi:duration><espi:start>${some[0]!.start}</espi:start></espi:interval>${some.map((r) => `<espi:IntervalReading><espi:ReadingQuality><espi:quality>${codeOf[r.quality]}</espi:quality></espi:ReadingQuality><espi:timePeriod><espi:duration>${r.minutes * 60}</espi:duration><espi:start>${r.start}</espi:start></espi:timePeriod><espi:value>${r.Wh}</espi:value></espi:IntervalReading>`).join('')}</espi:IntervalBlock>`)
      i = end
    }
  }
  yield '</feed>\n'
}
