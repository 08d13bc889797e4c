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
