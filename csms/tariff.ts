import { Refusal } from '#core/error.js'
import type { DocumentStore } from '#core/port/store/document.js'
import { Exact, fromMinor, minorDigits, toMinor, type Money } from '#core/quantity/money.js'
import type { Station } from './station.js'
import { energyOf, type Transaction } from './transaction.js'
import type { MessageContent } from './wire/transaction-event.js'

/** What charging costs the driver. Document `csms/Tariff`, id = name. Prices are decimal text; absent = nothing is charged for it. */
export interface Tariff {
  readonly name: string
  readonly currency: string
  readonly perKWh?: Money
  /** For each hour of the transaction. */
  readonly perHour?: Money
  readonly perSession?: Money
  /** What the driver reads (OCPP-167). */
  readonly text?: string
  readonly language?: string
}

/** The cost so far in minor units, rounded once (OCPP-168); undefined when the energy is not known yet. Pure. */
export function costOf(tariff: Tariff, t: Transaction, nowMs: number): bigint | undefined {
  const Wh = energyOf(t)
  const free = [tariff.perKWh, tariff.perHour, tariff.perSession].every((price) => price === undefined || new Exact(price).isZero())
  if (free) return 0n
  if (Wh === undefined && tariff.perKWh !== undefined) return undefined
  const hours = new Exact(Math.max(0, (t.endedAt ?? nowMs) - t.startedAt)).div(3_600_000)
  const amount = new Exact(tariff.perSession ?? 0).plus(new Exact(tariff.perKWh ?? 0).times(Wh ?? 0).div(1000)).plus(new Exact(tariff.perHour ?? 0).times(hours))
  return toMinor(amount, tariff.currency)
}

/** `totalCost` as it goes on the wire: the one number of OCPP that is money. */
export const onTheWire = (minor: bigint, currency: string): number => Number(fromMinor(minor, currency))

export interface Tariffs {
  put(tenant: string, tariff: Tariff): Promise<void>
  list(tenant: string): Promise<Tariff[]>
  of(station: Station): Promise<Tariff | undefined>
  /** What an answer to a TransactionEvent says of money and tariff; nothing at a station without such a display (OCPP-166, 167). */
  answer(station: Station, t: Transaction, nowMs: number): Promise<{ totalCost?: number; updatedPersonalMessage?: MessageContent }>
  /** The tariff as a message to the driver, where the station shows tariffs. */
  message(station: Station): Promise<MessageContent | undefined>
}

const shows = (station: Station, what: 'Cost' | 'Tariff'): boolean => station.actual('TariffCostCtrlr', 'Available', what) === 'true' && station.actual('TariffCostCtrlr', 'Enabled', what) !== 'false'

export function tariffs({ documents, usual, nowMs }: { documents: DocumentStore; nowMs: () => number; usual: string | undefined }): Tariffs {
  const known = new Map<string, { revision: number; tariff: Tariff | undefined }>()

  async function named(tenant: string, name: string): Promise<Tariff | undefined> {
    const key = `${tenant} ${name}`, revision = documents.revision(tenant, 'csms/Tariff'), before = known.get(key)
    if (before?.revision === revision) return before.tariff
    const tariff = (await documents.get<Tariff>(tenant, 'csms/Tariff', name))?.body
    known.set(key, { revision, tariff })
    return tariff
  }
  const of = async (station: Station): Promise<Tariff | undefined> => {
    const name = station.record.tariff ?? usual
    return name === undefined ? undefined : named(station.tenant, name)
  }
  const worded = ({ text, language }: Tariff): MessageContent | undefined => (text === undefined ? undefined : { format: 'UTF8', content: text.slice(0, 512), ...(language === undefined ? {} : { language }) })

  return {
    of,
    async put(tenant, tariff) {
      for (const price of [tariff.perKWh, tariff.perHour, tariff.perSession]) {
        if (price !== undefined && !/^\d{1,12}(\.\d{1,8})?$/.test(price)) throw new Refusal('invalid', 'a price is decimal text that is not negative', { faults: [{ path: '/', reason: `'${price.slice(0, 30)}'` }] })
      }
      minorDigits(tariff.currency)
      await documents.insertMany([{ tenant, kind: 'csms/Tariff', id: tariff.name, parent: '', body: tariff }], nowMs(), { onConflict: 'replace' })
      known.delete(`${tenant} ${tariff.name}`)
    },
    list: async (tenant) => (await documents.list<Tariff>(tenant, { kind: 'csms/Tariff', order: ['id'] })).map((d) => d.body),
    message: async (station) => {
      const tariff = shows(station, 'Tariff') ? await of(station) : undefined
      return tariff && worded(tariff)
    },
    async answer(station, t, now) {
      if (!shows(station, 'Cost') && !shows(station, 'Tariff')) return {}
      const tariff = await of(station)
      if (!tariff) return {}
      const minor = costOf(tariff, t, now), message = shows(station, 'Tariff') ? worded(tariff) : undefined
      if (minor !== undefined) t.cost = fromMinor(minor, tariff.currency)
      const news = message !== undefined && t.told !== undefined && t.told !== message.content
      if (message) t.told = message.content
      return {
        ...(minor !== undefined && shows(station, 'Cost') ? { totalCost: onTheWire(minor, tariff.currency) } : {}),
        ...(news && !t.ended ? { updatedPersonalMessage: message } : {}),
      }
    },
  }
}
