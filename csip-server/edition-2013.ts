import type { TSchema } from 'typebox'
import type { XmlElement } from '#core/describe/xml.js'

/** Root namespace of the 2013 edition, which widespread clients still send (SEP-035). */
export const namespace2013 = 'http://ieee.org/2030.5'

/** 2013 names of children whose 2018 names differ, by parent. */
const names: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  DERCapability: {
    rtgA: 'rtgMaxA', rtgAh: 'rtgMaxAh', rtgVA: 'rtgMaxVA', rtgVar: 'rtgMaxVar', rtgVarNeg: 'rtgMaxVarNeg', rtgW: 'rtgMaxW', rtgWh: 'rtgMaxWh',
    rtgMinPF: 'rtgMinPFOverExcited', rtgMinPFNeg: 'rtgMinPFUnderExcited',
  },
  DERSettings: { setMinPF: 'setMinPFOverExcited', setMinPFNeg: 'setMinPFUnderExcited' },
  EndDevice: { loadShedDeviceCategory: 'deviceCategory' },
}

/** The document as a 2018 client would have sent it. */
export function modernize(element: XmlElement): XmlElement {
  const map = Object.hasOwn(names, element.name) ? names[element.name] : undefined
  const children = element.children.map((child) => {
    const name = map && Object.hasOwn(map, child.name) ? map[child.name] as string : child.name
    return modernize(name === child.name ? child : { ...child, name })
  })
  return { ...element, children }
}

/** Children that the 2013 edition does not know, by type. */
const younger: Readonly<Record<string, ReadonlySet<string>>> = {
  CurveData: new Set(['excitation']),
  DERCapability: new Set(['rtgMaxV', 'rtgMinV', 'rtgReactiveSusceptance', 'rtgVNom']),
  DERControl: new Set(['deviceCategory']),
  DERControlBase: new Set(['opModFixedPFAbsorbW', 'opModFixedPFInjectW', 'opModHFRTMayTrip', 'opModHVRTMayTrip', 'opModLFRTMayTrip', 'opModLVRTMayTrip']),
  DERCurve: new Set(['autonomousVRefEnable', 'autonomousVRefTimeConstant', 'vRef']),
  DERSettings: new Set(['setESRampTms', 'setMaxV', 'setMinV', 'setVNom']),
  DERStatus: new Set(['alarmStatus']),
  DefaultDERControl: new Set(['setESRampTms']),
  DeviceInformation: new Set(['gpsLocation']),
  EndDevice: new Set(['postRate']),
}
const renamed: typeof names = { ...names, SelfDevice: names.EndDevice ?? {} }
const oldName = (type: string, member: string): string => {
  const map = renamed[type]
  return (map && Object.keys(map).find((o) => map[o] === member)) ?? member
}

type Node = TSchema & { type?: string; properties?: Record<string, Node>; items?: Node; required?: string[] }

/** The description as that edition has it: without what came later, its own names, in its own order (children of a level stood in the order of their names). */
export function schema2013(schema: TSchema, type: string): TSchema {
  const node = schema as Node
  if (node.type === 'array' && node.items) return { ...node, items: schema2013(node.items, type) } as TSchema
  if (!node.properties) return schema
  const members = Object.entries(node.properties).filter(([m]) => !younger[type]?.has(m)).map(([m, field]) => [oldName(type, m), schema2013(field, m)] as const)
  if (type === 'DERCapability' || type === 'DERSettings') members.sort(([a], [b]) => a.toLowerCase() < b.toLowerCase() ? -1 : 1)
  const category = members.findIndex(([m]) => m === 'loadShedDeviceCategory'), shed = members.findIndex(([m]) => m === 'LoadShedAvailabilityListLink')
  if (category >= 0 && shed > category) members.splice(shed, 0, ...members.splice(category, 1))
  return { ...node, properties: Object.fromEntries(members), required: (node.required ?? []).map((m) => oldName(type, m)) } as unknown as TSchema
}

/** The value with the names of that edition. */
export function old(value: unknown, type: string): unknown {
  if (Array.isArray(value)) return value.map((v) => old(v, type))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([m, v]) => [oldName(type, m), old(v, m)]))
}
