import { createHash } from 'node:crypto'
import { MirrorMeterReadingList, MirrorUsagePoint, MirrorUsagePointList } from '#csip-server/wire/mirror-usage-point.js'
import type { WaitingReadings } from '#ven-client/csip/store.js'
import { memoryKept, type KeptStore } from '#ven-client/kept.js'
import { CsipError, type CsipWire } from '#ven-client/csip/transport.js'

/** One series that a device measures: Wh per interval in one direction (SEP-170, SEP-174: 1 = from the grid, 19 = to the grid). */
export interface Series {
  readonly name: string
  readonly flowDirection: 1 | 19
  interval_Wh(start: number, end: number): number | undefined
}

export interface MirrorOptions {
  readonly lfdi: string
  /** Private enterprise number of the maker, low 32 bits of our mRIDs (SEP-063). */
  readonly pen?: number
  /** 0003 the premises' connection point, 0049 the device itself (SEP-171). */
  readonly roleFlags?: string
  readonly interval_s?: number
  readonly series: readonly Series[]
  /** Intervals kept while the server cannot be reached. */
  readonly keep?: number
  /** Where readings wait while the server cannot be reached; in memory when unset. */
  readonly store?: KeptStore<WaitingReadings>
  /** What an earlier process of this device had posted: the first interval is the one that starts here, epoch seconds. */
  readonly mirroredUntil?: number
}

const hex = (text: string, bytes: number): string => createHash('sha256').update(text).digest('hex').slice(0, bytes * 2).toUpperCase()

/** Mirrors a device's meter: announces the usage point once, then posts each interval soon after its end (SEP-165 … SEP-169). */
export function mirror(wire: CsipWire, mupList: () => string, options: MirrorOptions) {
  const { lfdi, series } = options
  const interval_s = options.interval_s ?? 900, keep = options.keep ?? 96 * 7
  const pen = (options.pen ?? 0).toString(16).padStart(8, '0').toUpperCase()
  const mRID = (what: string): string => hex(`${lfdi}\n${what}`, 12) + pen
  const store = options.store ?? memoryKept<WaitingReadings>()
  const waiting: WaitingReadings[] = []
  let loaded = false
  let location: string | undefined
  let last = options.mirroredUntil === undefined ? undefined : options.mirroredUntil - interval_s

  async function announce(): Promise<string> {
    const answer = await wire.write('POST', MirrorUsagePointList.lists?.item ?? MirrorUsagePoint, mupList(), {
      mRID: mRID('mup'), roleFlags: options.roleFlags ?? '0003', serviceCategoryKind: 0, status: 1, deviceLFDI: lfdi,
      MirrorMeterReading: series.map((one) => ({
        mRID: mRID(one.name), description: one.name,
        // deltas (4) of electricity (1) in Wh (72), forward or reverse
        ReadingType: { accumulationBehaviour: 4, commodity: 1, flowDirection: one.flowDirection, intervalLength: interval_s, kind: 12, powerOfTenMultiplier: 0, uom: 72 },
      })),
    })
    if (!answer.location) throw new CsipError('The server gave no Location for the MirrorUsagePoint.', answer.status)
    return answer.location
  }

  const readingOf = (one: Series, start: number): object | undefined => {
    const value = one.interval_Wh(start * 1000, (start + interval_s) * 1000)
    if (value === undefined) return undefined
    const timePeriod = { duration: interval_s, start }
    return {
      mRID: mRID(one.name),
      MirrorReadingSet: [{ mRID: hex(`${lfdi}\n${one.name}\n${start}`, 12) + pen, timePeriod, Reading: [{ timePeriod, value: Math.round(value), localID: '00' }] }],
    }
  }

  /** Measured once, when the interval has ended, and kept until the server has it. */
  async function measure(start: number): Promise<void> {
    const readings = series.map((one) => readingOf(one, start)).filter((r) => r !== undefined)
    if (readings.length === 0) return
    const one = { key: String(start).padStart(12, '0'), start, readings }
    await store.put(one)
    waiting.push(one)
    while (waiting.length > keep) await done()
  }

  async function done(): Promise<void> {
    const first = waiting.shift()
    if (first) await store.remove(first.key)
  }

  /** What an earlier process could not post comes first. */
  async function load(): Promise<void> {
    if (loaded) return
    loaded = true
    const kept = [...await store.all()].sort((a, b) => a.start - b.start)
    waiting.unshift(...kept)
    const newest = kept.at(-1)
    if (newest && (last === undefined || newest.start > last)) last = newest.start
  }

  async function post({ readings }: WaitingReadings): Promise<void> {
    location ??= await announce()
    await wire.write('POST', MirrorMeterReadingList, location, { all: readings.length, results: readings.length, MirrorMeterReading: readings })
  }

  return {
    /** Announces the usage point, so that the server can know it before the first reading. */
    async begin(now_ms: number): Promise<void> {
      await load()
      last ??= Math.floor(now_ms / 1000 / interval_s) * interval_s - interval_s       // the interval of now is the first one
      location ??= await announce()
    },
    /** Posts every interval that has ended since the last call; what cannot be posted waits for the next one. */
    async run(now_ms: number): Promise<void> {
      const now = Math.floor(now_ms / 1000)
      if (last === undefined) return
      for (; last + 2 * interval_s <= now; ) { last += interval_s; await measure(last) }
      for (let first = waiting[0]; first; first = waiting[0]) {
        try {
          await post(first)
        } catch (error) {
          // the server forgot us: announce again at the next try (SEP-172)
          if (error instanceof CsipError && error.status === 404) location = undefined
          if (!(error instanceof CsipError) || error.status !== 400) throw error
        }
        await done()
      }
    },
    get waiting(): number { return waiting.length },
    /** Everything before this instant has been posted; keep it over a restart. */
    get mirroredUntil(): number | undefined { return waiting[0]?.start ?? (last === undefined ? undefined : last + interval_s) },
  }
}
