import { sfdiOf } from '#certs/lfdi.js'
import { ConnectionPoint } from '#csip-server/wire/connection-point.js'
import { EndDevice } from '#csip-server/wire/end-device.js'
import { Registration } from '#csip-server/wire/registration.js'
import { ownEndDevice, type DeviceCapabilityValue, type EndDeviceValue } from '#ven-client/csip/discover.js'
import { CsipError, type CsipWire } from '#ven-client/csip/transport.js'

/** What a device may ask for when the server does not know it yet (SEP-103, SEP-244). */
export interface Enrolling {
  readonly deviceCategory?: string
  readonly postRate?: number
}

export interface OwnRecord {
  readonly lfdi: string
  /** Registers in band when no record is there; unset = out of band only. */
  readonly register?: Enrolling | undefined
  /** The PIN that the operator was told: a server that shows another one is not the one we were registered with. */
  readonly pin?: number | undefined
  /** The connection point, typically the NMI (SEP-112). */
  readonly connectionPoint?: string | undefined
}

/** Our own record: found, or made in band; its PIN checked, its connection point set. */
export async function ownRecord(wire: CsipWire, dcap: DeviceCapabilityValue, who: OwnRecord, now: number): Promise<EndDeviceValue> {
  const known = await ownEndDevice(wire, dcap, who.lfdi) ?? await enrol(wire, dcap, who, now)
  if (who.pin !== undefined) await checkPin(wire, known, who.pin)
  if (who.connectionPoint !== undefined) await connect(wire, known, who.connectionPoint)
  return known
}

async function enrol(wire: CsipWire, dcap: DeviceCapabilityValue, { lfdi, register }: OwnRecord, now: number): Promise<EndDeviceValue> {
  const list = dcap.EndDeviceListLink
  if (!register || !list) throw new CsipError('The server does not know this device yet: register its LFDI.', 404)
  try {
    await wire.write('POST', EndDevice, list.href, { ...register, lFDI: lfdi, sFDI: sfdiOf(lfdi), changedTime: now })
  } catch (error) {
    if (error instanceof CsipError && error.status === 403) throw new CsipError('The server does not take this device by itself: the operator must register its LFDI.', 403, { cause: error })
    // SEP-105: it is there already, a request of ours whose answer was lost
    if (!(error instanceof CsipError) || error.status !== 409) throw error
  }
  const made = await ownEndDevice(wire, { ...dcap, EndDeviceListLink: { href: list.href } }, lfdi)
  if (!made) throw new CsipError('The server took the registration and does not show the device.', 404)
  return made
}

async function checkPin(wire: CsipWire, own: EndDeviceValue, pin: number): Promise<void> {
  if (!own.RegistrationLink) return
  const { pIN } = await wire.read(Registration, own.RegistrationLink.href)
  if (pIN !== pin) throw new CsipError('The server has another PIN for this device than the one given: it is not the right server, or not the right record.', 403)
}

async function connect(wire: CsipWire, own: EndDeviceValue, connectionPointId: string): Promise<void> {
  const link = own.ConnectionPointLink
  if (!link) return
  const before = await wire.read(ConnectionPoint, link.href).catch((error: unknown) => {
    if (error instanceof CsipError && error.status === 404) return undefined
    throw error
  })
  if (before?.connectionPointId !== connectionPointId) await wire.write('PUT', ConnectionPoint, link.href, { connectionPointId })
}
