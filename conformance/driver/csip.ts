import type { Action, RunContext } from '#conformance/runner.js'
import { xmlRequest } from '#conformance/driver/xml.js'

type Node = Record<string, unknown>
const many = (node: unknown, name: string): Node[] => ((node as Node | undefined)?.[name] ?? []) as Node[]
const text = (node: Node, name: string): string | undefined => { const [first] = many(node, name) as unknown[]; return typeof first === 'string' ? first : undefined }

/** Every link of a resource by name: `{DERListLink: '/edev/1/der', …}`. */
const linksOf = (node: Node): Record<string, string> => Object.fromEntries(Object.entries(node)
  .filter(([name, value]) => name.endsWith('Link') && Array.isArray(value)).map(([name, value]) => [name, String((value as Node[])[0]?.['@href'])]))

async function list(path: string | undefined, member: string, as: unknown, context: RunContext): Promise<Node[]> {
  if (!path) return []
  const got = await xmlRequest({ method: 'GET', as, path: `${path}?l=255` }, context)
  return many(got.xml, member)
}

/**
 * `csip.discover {as, lfdi?}`: what a client finds when it follows the links from DeviceCapability, as CSIP asks →
 * `{dcap, edev, links, fsa: [{href, mRID}], programs: [{href, mRID, primacy, …links}] by primacy, own, widest, der}`. `lfdi` picks an EndDevice of an aggregator.
 */
export const discover: Action = async (args, context) => {
  const { as } = args
  const dcap = await xmlRequest({ method: 'GET', as, path: context.target.values['dcap'] ?? '/dcap' }, context)
  if (dcap.status !== 200) throw new Error(`DeviceCapability answered ${String(dcap.status)} ${String(dcap.error ?? '')}`)
  const root = linksOf(dcap.xml as Node)
  const devices = await list(root['EndDeviceListLink'], 'EndDevice', as, context)
  const device = devices.find((d) => args.lfdi === undefined || text(d, 'lFDI')?.toUpperCase() === String(args.lfdi).toUpperCase())
  if (!device) throw new Error(`the EndDeviceList of '${String(as)}' has no EndDevice${args.lfdi === undefined ? '' : ` ${String(args.lfdi)}`}`)
  const links = linksOf(device)
  const fsa = await list(links['FunctionSetAssignmentsListLink'], 'FunctionSetAssignments', as, context)
  const programs = (await Promise.all(fsa.map((f) => list(linksOf(f)['DERProgramListLink'], 'DERProgram', as, context)))).flat()
    .map((p) => ({ ...linksOf(p), href: String(p['@href']), mRID: text(p, 'mRID'), primacy: Number(text(p, 'primacy')) })).toSorted((a, b) => a.primacy - b.primacy)
  const ders = await list(links['DERListLink'], 'DER', as, context)
  return {
    dcap: root, edev: String(device['@href']), links, fsa: fsa.map((f) => ({ href: f['@href'], mRID: text(f, 'mRID') })), programs, own: programs[0], widest: programs.at(-1),
    programHrefs: programs.map((p) => p.href), der: ders[0] ? linksOf(ders[0]) : undefined, devices: devices.map((d) => text(d, 'lFDI')),
  }
}
