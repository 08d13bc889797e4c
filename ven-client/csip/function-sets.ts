import type { Static } from 'typebox'
import { DemandResponseProgram, DemandResponseProgramList, EndDeviceControl, EndDeviceControlList } from '#csip-server/wire/demand-response.js'
import { FlowReservationResponse, FlowReservationResponseList } from '#csip-server/wire/flow-reservation.js'
import { MessagingProgram, MessagingProgramList, TextMessage, TextMessageList } from '#csip-server/wire/messaging.js'
import {
  ConsumptionTariffInterval, ConsumptionTariffIntervalList, RateComponent, RateComponentList, TariffProfile, TariffProfileList, TimeTariffInterval, TimeTariffIntervalList,
} from '#csip-server/wire/pricing.js'
import { linked, type DeviceCapabilityValue, type EndDeviceValue, type FunctionSetAssignmentsValue } from '#ven-client/csip/discover.js'
import type { CsipWire } from '#ven-client/csip/transport.js'

export type EndDeviceControlValue = Static<typeof EndDeviceControl.schema>
export type TextMessageValue = Static<typeof TextMessage.schema>
export type FlowReservationResponseValue = Static<typeof FlowReservationResponse.schema>
export type TimeTariffIntervalValue = Static<typeof TimeTariffInterval.schema>
type TariffProfileValue = Static<typeof TariffProfile.schema>
type RateComponentValue = Static<typeof RateComponent.schema>
type ConsumptionTariffIntervalValue = Static<typeof ConsumptionTariffInterval.schema>

/** An interval of a tariff with what it costs. */
export interface PricedInterval extends TimeTariffIntervalValue {
  readonly rateComponent: string
  readonly currency: number | undefined
  /** Price per unit of the rate's ReadingType from `startValue` of its consumption on; as a decimal number. */
  readonly blocks: readonly { readonly startValue: number; readonly price: number | undefined }[]
}

/** The events of one program, with its primacy; lower wins (SEP-076). */
export interface Found<E> { readonly primacy: number; readonly events: readonly E[] }
export interface Read<E> { readonly found: Found<E>[]; readonly pollRate_s: number | undefined }

/** Where programs are linked: in our assignments, or, from a server that assigns none of this kind, at its door. */
type Linking = DeviceCapabilityValue | FunctionSetAssignmentsValue
type ProgramLink = 'DemandResponseProgramListLink' | 'MessagingProgramListLink' | 'TariffProfileListLink'

async function programs<P extends { mRID: string }>(wire: CsipWire, dcap: Linking, assignments: readonly Linking[], link: ProgramLink, list: Parameters<typeof linked>[1]): Promise<{ items: P[]; pollRate_s: number | undefined }> {
  const assigned = assignments.filter((a) => a[link])
  const lists = await Promise.all((assigned.length > 0 ? assigned : [dcap]).map((at) => linked<P>(wire, list, now(at[link]))))
  const rates = lists.flatMap((l) => l.pollRate ?? [])
  return { items: [...new Map(lists.flatMap((l) => l.items).map((p) => [p.mRID, p])).values()], pollRate_s: rates.length > 0 ? Math.min(...rates) : undefined }
}

/** A link of a record that was read a while ago: how many it led to then says nothing of now. */
const now = (link: { href: string } | undefined): { href: string } | undefined => link && { href: link.href }

/** SEP-196, SEP-197. */
export async function readLoadControl(wire: CsipWire, dcap: Linking, assignments: readonly Linking[]): Promise<Read<EndDeviceControlValue>> {
  const { items, pollRate_s } = await programs<Static<typeof DemandResponseProgram.schema>>(wire, dcap, assignments, 'DemandResponseProgramListLink', DemandResponseProgramList)
  const found = await Promise.all(items.map(async (p) => ({ primacy: p.primacy, events: (await linked<EndDeviceControlValue>(wire, EndDeviceControlList, p.EndDeviceControlListLink)).items })))
  return { found, pollRate_s }
}

/** SEP-200, messages. */
export async function readMessages(wire: CsipWire, dcap: Linking, assignments: readonly Linking[]): Promise<Read<TextMessageValue>> {
  const { items, pollRate_s } = await programs<Static<typeof MessagingProgram.schema>>(wire, dcap, assignments, 'MessagingProgramListLink', MessagingProgramList)
  const found = await Promise.all(items.map(async (p) => ({ primacy: p.primacy, events: (await linked<TextMessageValue>(wire, TextMessageList, p.TextMessageListLink)).items })))
  return { found, pollRate_s }
}

/** SEP-200, prices: tariffs, their rates, the intervals of each and what those cost. */
export async function readPrices(wire: CsipWire, dcap: Linking, assignments: readonly Linking[]): Promise<Read<PricedInterval>> {
  const { items, pollRate_s } = await programs<TariffProfileValue>(wire, dcap, assignments, 'TariffProfileListLink', TariffProfileList)
  const found: Found<PricedInterval>[] = []
  for (const tariff of items) for (const rate of (await linked<RateComponentValue>(wire, RateComponentList, tariff.RateComponentListLink)).items) {
    const intervals = (await linked<TimeTariffIntervalValue>(wire, TimeTariffIntervalList, rate.TimeTariffIntervalListLink)).items
    found.push({ primacy: tariff.primacy, events: await Promise.all(intervals.map((i) => priced(wire, tariff, rate, i))) })
  }
  return { found, pollRate_s }
}

async function priced(wire: CsipWire, tariff: TariffProfileValue, rate: RateComponentValue, interval: TimeTariffIntervalValue): Promise<PricedInterval> {
  const { items } = await linked<ConsumptionTariffIntervalValue>(wire, ConsumptionTariffIntervalList, interval.ConsumptionTariffIntervalListLink)
  const blocks = items.sort((a, b) => a.startValue - b.startValue).map(({ startValue, price }) => ({ startValue, price: price === undefined ? undefined : decimal(price, tariff.pricePowerOfTenMultiplier ?? 0) }))
  return { ...interval, rateComponent: rate.mRID, currency: tariff.currency, blocks }
}

/** Value × 10^power as the nearest double of the decimal: 12 × 10^-2 is 0.12, not 0.12 and some. */
const decimal = (value: number, power: number): number => Number(`${value}e${power}`)

/** SEP-200, reservations: what we were granted. */
export async function readGrants(wire: CsipWire, own: EndDeviceValue): Promise<Read<FlowReservationResponseValue>> {
  const { items, pollRate } = await linked<FlowReservationResponseValue>(wire, FlowReservationResponseList, now(own.FlowReservationResponseListLink))
  return { found: [{ primacy: 0, events: items }], pollRate_s: pollRate }
}
