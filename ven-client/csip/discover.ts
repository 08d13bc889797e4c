import type { Static } from 'typebox'
import type { Resource } from '#core/describe/resource.js'
import { DERControl, DERControlList, DefaultDERControl } from '#csip-server/wire/der-control.js'
import { DERProgram, DERProgramList } from '#csip-server/wire/der-program.js'
import { DER, DERList } from '#csip-server/wire/der.js'
import { DeviceCapability } from '#csip-server/wire/device-capability.js'
import { EndDevice, EndDeviceList } from '#csip-server/wire/end-device.js'
import { FunctionSetAssignments, FunctionSetAssignmentsList } from '#csip-server/wire/function-set-assignments.js'
import type { CsipWire } from '#ven-client/csip/transport.js'

export type DeviceCapabilityValue = Static<typeof DeviceCapability.schema>
export type EndDeviceValue = Static<typeof EndDevice.schema>
export type DERValue = Static<typeof DER.schema>
export type DERProgramValue = Static<typeof DERProgram.schema>
export type DERControlValue = Static<typeof DERControl.schema>
export type DefaultDERControlValue = Static<typeof DefaultDERControl.schema>
export type FunctionSetAssignmentsValue = Static<typeof FunctionSetAssignments.schema>

interface ListLinkValue { readonly href: string; readonly all?: number }

/** Members that one request may bring; servers clip a larger wish (SEP-051). */
const page = 255

/** A whole list, paged by `s` and `l` (SEP-051); `pollRate` is the list's own wish. */
export async function readList<T>(wire: CsipWire, list: Resource, href: string): Promise<{ items: T[]; pollRate: number | undefined }> {
  const member = list.lists?.member ?? ''
  const items: T[] = []
  let pollRate: number | undefined
  for (;;) {
    const part = await wire.read(list, `${href}?s=${items.length}&l=${page}`) as Record<string, unknown> & { all: number; results: number; pollRate?: number }
    const members = (part[member] ?? []) as T[]
    items.push(...members)
    pollRate = part.pollRate
    if (members.length === 0 || items.length >= part.all) return { items, pollRate }
  }
}

/** A linked list; not even asked for when the link says that it is empty (SEP-054). */
export const linked = async <T>(wire: CsipWire, list: Resource, link: ListLinkValue | undefined): Promise<{ items: T[]; pollRate: number | undefined }> =>
  link === undefined || link.all === 0 ? { items: [], pollRate: undefined } : readList<T>(wire, list, link.href)

/** Our own record among those that the server shows us (SEP-102); undefined while the operator has not registered us. */
export async function ownEndDevice(wire: CsipWire, dcap: DeviceCapabilityValue, lfdi: string): Promise<EndDeviceValue | undefined> {
  const { items } = await linked<EndDeviceValue>(wire, EndDeviceList, dcap.EndDeviceListLink)
  return items.find((e) => e.lFDI?.toUpperCase() === lfdi)
}

export const firstDer = async (wire: CsipWire, device: EndDeviceValue): Promise<DERValue | undefined> =>
  (await linked<DERValue>(wire, DERList, device.DERListLink)).items[0]

/** A program with its words of now. */
export interface Program {
  readonly program: DERProgramValue
  readonly controls: readonly DERControlValue[]
  readonly defaultControl: DefaultDERControlValue | undefined
}

export const readDefault = (wire: CsipWire, program: DERProgramValue): Promise<DefaultDERControlValue | undefined> =>
  program.DefaultDERControlLink ? wire.read(DefaultDERControl, program.DefaultDERControlLink.href) : Promise.resolve(undefined)

export const readControls = async (wire: CsipWire, program: DERProgramValue): Promise<DERControlValue[]> =>
  (await linked<DERControlValue>(wire, DERControlList, program.DERControlListLink)).items

export const readAssignments = (wire: CsipWire, device: EndDeviceValue) =>
  linked<FunctionSetAssignmentsValue>(wire, FunctionSetAssignmentsList, device.FunctionSetAssignmentsListLink)

export const readPrograms = (wire: CsipWire, fsa: FunctionSetAssignmentsValue) =>
  linked<DERProgramValue>(wire, DERProgramList, fsa.DERProgramListLink)

export { DeviceCapability }
