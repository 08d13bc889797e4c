import { handler, type Handler } from '#csms/handler.js'
import type { Station } from '#csms/station.js'

interface DataTransfer {
  readonly vendorId: string
  readonly messageId?: string
  readonly data?: unknown
}

/** A plug-in for one vendor: message ids → answer (P01). */
export type VendorMessages = ReadonlyMap<string, (station: Station, data: unknown) => Promise<{ status: string; data?: unknown }>>

/** P01 (OCPP-225): unknown vendors and messages have their own statuses. */
export function dataTransfer({ vendors }: { vendors: ReadonlyMap<string, VendorMessages> }): Handler[] {
  return [handler<DataTransfer>('DataTransfer', async (station, { vendorId, messageId, data }) => {
    const vendor = vendors.get(vendorId)
    if (!vendor) return { status: 'UnknownVendorId' }
    const message = vendor.get(messageId ?? '')
    return message ? message(station, data) : { status: 'UnknownMessageId' }
  })]
}
