import { HttpFault, reason } from '#csip-server/error-map.js'
import { makeProvisioning } from '#csip-server/provision.js'
import type { Behaviour } from '#csip-server/served.js'

/** AEMO's NMI checksum: code points from the right, every other one doubled, digits added up. */
export function nmiChecksum(ten: string): number {
  let sum = 0
  for (const [i, c] of [...ten].reverse().entries()) for (const digit of String(c.charCodeAt(0) * (i % 2 === 0 ? 2 : 1))) sum += Number(digit)
  return (10 - (sum % 10)) % 10
}

/** Ten letters and digits without I and O, the eleventh their checksum (SEP-112). */
export const isNMI = (id: string): boolean => /^[0-9A-HJ-NP-Z]{10}\d?$/.test(id) && (id.length === 10 || nmiChecksum(id.slice(0, 10)) === Number(id[10]))

/** SEP-112, SEP-042. Interpretation: a connection point is a service point; a device that names one joins its group below the groups it keeps. */
export const connectionPoint: Behaviour = {
  complete(x, value, before) {
    const id = String(value.connectionPointId ?? value.id ?? '').trim()
    if (!isNMI(id)) throw new HttpFault(400, reason.values)
    if (before && before.body.connectionPointId !== id && !x.ctx.config.nmiUpdates) throw new HttpFault(409, reason.values)
    return { connectionPointId: id }
  },
  async stored(x, doc) {
    const device = x.endDevice
    if (!device?.key) return
    const id = String(doc.body.connectionPointId)
    const levels = new Map((await x.ctx.documents.list<{ level?: string }>(x.ctx.tenant, { kind: 'csip/FunctionSetAssignments', ids: device.targets })).map((d) => [d.id, d.body.level]))
    const kept = device.targets.filter((g) => levels.get(g) !== 'servicePoint').map((name) => ({ name, level: (levels.get(name) ?? 'feeder') as 'feeder' }))
    await makeProvisioning(x.ctx).moveEndDevice(device.key, [...(kept.length > 0 ? kept : ['system']), { name: id, level: 'servicePoint' }])
  },
}
