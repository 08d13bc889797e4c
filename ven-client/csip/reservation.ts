import { createHash } from 'node:crypto'
import type { Static } from 'typebox'
import { FlowReservationRequest, FlowReservationRequestList } from '#csip-server/wire/flow-reservation.js'
import { linked, type EndDeviceValue } from '#ven-client/csip/discover.js'
import { CsipError, type CsipWire } from '#ven-client/csip/transport.js'

/** Energy that a car, or anything that stores or shifts it, wants inside a window (SEP-200). */
export interface Wish {
  /** Positive to charge, negative to discharge; whole Wh and W. */
  readonly energy_Wh: number
  readonly power_W: number
  /** Epoch seconds, [start, end). */
  readonly start: number
  readonly end: number
  /** How long it will take; unset = the utility may reckon it. */
  readonly duration_s?: number
}

export interface Reservation { readonly mRID: string }

type RequestValue = Static<typeof FlowReservationRequest.schema>
const requested = 0, cancelled = 1

/** Largest that fits a signed number of so many bits, over powers of ten; never rounded up. */
function pair(value: number, bits: 16 | 48): { multiplier: number; value: number } {
  const most = 2 ** (bits - 1) - 1
  let multiplier = 0, rest = value
  while (Math.abs(rest) > most) { rest = Math.trunc(rest / 10); multiplier += 1 }
  return { multiplier, value: rest }
}

const listOf = (own: EndDeviceValue): string => {
  const href = own.FlowReservationRequestListLink?.href
  if (href === undefined) throw new CsipError('The server takes no flow reservations of this device.', 404)
  return href
}

/**
 * Asks for energy in a window. The mRID is made of who, what and how often it was withdrawn before, so that a wish whose answer was lost is the
 * same one when it is said again.
 */
export async function reserve(wire: CsipWire, own: EndDeviceValue, wish: Wish, now: number, pen = 0): Promise<Reservation> {
  const list = listOf(own), { items } = await linked<RequestValue>(wire, FlowReservationRequestList, { href: list })
  for (let time = 0; ; time++) {
    const hash = createHash('sha256').update(JSON.stringify([own.lFDI, wish, time])).digest('hex').slice(0, 24)
    const mRID = (hash + pen.toString(16).padStart(8, '0')).toUpperCase(), known = items.find((r) => r.mRID.toUpperCase() === mRID)
    if (known?.RequestStatus.requestStatus === requested) return { mRID }
    if (known) continue
    await wire.write('POST', FlowReservationRequest, list, {
      mRID, creationTime: now, ...(wish.duration_s === undefined ? {} : { durationRequested: wish.duration_s }), energyRequested: pair(wish.energy_Wh, 48),
      intervalRequested: { start: wish.start, duration: wish.end - wish.start }, powerRequested: pair(wish.power_W, 16), RequestStatus: { dateTime: now, requestStatus: requested },
    })
    return { mRID }
  }
}

/** Takes a wish back; the server cancels what it granted. False when there is no such wish. */
export async function withdraw(wire: CsipWire, own: EndDeviceValue, mRID: string, now: number): Promise<boolean> {
  const { items } = await linked<RequestValue & { href?: string }>(wire, FlowReservationRequestList, { href: listOf(own) })
  const request = items.find((r) => r.mRID.toUpperCase() === mRID.toUpperCase())
  if (!request?.href) return false
  await wire.write('PUT', FlowReservationRequest, request.href, { ...request, RequestStatus: { dateTime: now, requestStatus: cancelled } })
  return true
}
