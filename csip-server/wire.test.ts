import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import t from 'tap'
import type { TSchema } from 'typebox'
import { compile } from '#core/describe/json-schema.js'
import type { Resource } from '#core/describe/resource.js'
import { sample } from '#core/describe/sample.js'
import { fromXml, parseXml } from '#core/describe/xml.js'
import { packageRoot } from '#core/package-root.js'
import { makeCodec, namespace2018 } from '#csip-server/codec.js'
import { registry, registryFor } from '#csip-server/registry.js'
import { sep } from '#csip-server/fixture.js'
import { DERSettings } from '#csip-server/wire/der-settings.js'
import { Error as ErrorResource } from '#csip-server/wire/error.js'
import { carried, Notification } from '#csip-server/wire/subscription.js'

interface Fact { elements: { name: string; type: string; min: number; max: number | null }[]; attributes: { name: string; type: string; use: string }[]; base?: string }
interface Facts { types: Record<string, Fact>; simpleTypes: Record<string, { base: string; facets: Record<string, string> }>; globalElements: Record<string, string> }
type Node = TSchema & { type?: string; properties?: Record<string, Node>; required?: string[]; items?: Node; minItems?: number; maxItems?: number; minimum?: number; maximum?: number; maxLength?: number; pattern?: string; xml?: { attribute?: boolean; prefix?: string; lexical?: string; substitutes?: object } }

const file = join(packageRoot(), '../shared/specs/ieee2030_5/facts/schema-2018-2.1.0.json')
const facts = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Facts : undefined
const described: Resource[] = [...new Map([...registry.flatMap((s) => [s.resource, ...(s.accepts ?? [])]), ErrorResource, Notification].map((r) => [`${r.name} ${r.href?.template ?? ''}`, r])).values()]
const codec = makeCodec('csip')
const namespaces = new Set([namespace2018, 'https://csipaus.org/ns'])

/** The widest lexical space of a simple type: what we print must fit into it. */
function simple(f: Facts, type: string): { kind: string; min?: number; max?: number; bytes?: number } {
  const builtin: Record<string, { kind: string; min?: number; max?: number }> = {
    'xs:boolean': { kind: 'boolean' }, 'xs:anyURI': { kind: 'string' }, 'xs:string': { kind: 'string' }, 'xs:hexBinary': { kind: 'hex' },
    'xs:unsignedByte': { kind: 'integer', min: 0, max: 255 }, 'xs:unsignedShort': { kind: 'integer', min: 0, max: 65_535 }, 'xs:unsignedInt': { kind: 'integer', min: 0, max: 4_294_967_295 },
    'xs:unsignedLong': { kind: 'integer', min: 0 }, 'xs:byte': { kind: 'integer', min: -128, max: 127 }, 'xs:short': { kind: 'integer', min: -32_768, max: 32_767 },
    'xs:int': { kind: 'integer', min: -2_147_483_648, max: 2_147_483_647 }, 'xs:long': { kind: 'integer' },
  }
  const here = builtin[type]
  if (here) return here
  const s = f.simpleTypes[type]
  if (!s) return simple(f, f.types[type]!.base!)
  const base = simple(f, s.base)
  return { ...base, ...(s.facets.maxLength ? { bytes: Number(s.facets.maxLength) } : {}), ...(s.facets.maxInclusive ? { max: Number(s.facets.maxInclusive) } : {}), ...(s.facets.minInclusive ? { min: Number(s.facets.minInclusive) } : {}) }
}

function compare(f: Facts, path: string, node: Node, type: string, wrong: string[], seen: Set<string>): void {
  const fact = f.types[type]
  const isSimple = !fact || (fact.elements.length === 0 && fact.attributes.length === 0 && !['Link', 'ListLink'].includes(type))
  if (isSimple) {
    const s = simple(f, type)
    if (s.kind === 'integer' ? (node.type !== 'integer' && node.xml?.lexical !== 'int64') || (s.min !== undefined && node.minimum! < s.min) || (s.max !== undefined && node.maximum! > s.max)
      : s.kind === 'boolean' ? node.type !== 'boolean'
        : s.kind === 'hex' ? node.xml?.lexical !== 'hex' || Number(/(\d+)\}\$$/.exec(node.pattern!)?.[1]) > (s.bytes ?? Infinity)
          : node.type !== 'string' || (s.bytes !== undefined && node.maxLength! > s.bytes)) wrong.push(`${path}: not a ${type}`)
    return
  }
  if ((node.xml?.substitutes && !node.properties) || seen.has(`${type} ${path}`) || path.split('/').length > 8) return
  const mine = Object.entries(node.properties ?? {}).filter(([, p]) => !p.xml?.attribute && !p.xml?.prefix)
  const names = mine.map(([n]) => n), expected = fact.elements.map((e) => e.name)
  if (names.join() !== expected.join()) wrong.push(`${path}: children ${names.join()} are not ${expected.join()}`)
  for (const e of fact.elements) {
    const p = node.properties?.[e.name]
    if (!p) continue
    if ((node.required ?? []).includes(e.name) !== e.min > 0) wrong.push(`${path}/${e.name}: required differs`)
    if ((p.type === 'array') !== (e.max === null || e.max > 1)) wrong.push(`${path}/${e.name}: cardinality differs`)
    if (p.type === 'array' && typeof e.max === 'number' && p.maxItems !== e.max) wrong.push(`${path}/${e.name}: maxOccurs differs`)
    compare(f, `${path}/${e.name}`, p.type === 'array' ? p.items! : p, e.type, wrong, seen)
  }
  const attributes = new Map(fact.attributes.map((a) => [a.name, a]))
  for (const [name, p] of Object.entries(node.properties ?? {})) {
    if (!p.xml?.attribute) continue
    if (!attributes.has(name)) wrong.push(`${path}@${name}: unknown`)
    else if ((node.required ?? []).includes(name) !== (attributes.get(name)!.use === 'required')) wrong.push(`${path}@${name}: required differs`)
    attributes.delete(name)
  }
  for (const name of attributes.keys()) wrong.push(`${path}@${name}: missing`)
}

t.test('SEP-024 every description has the children of its type, in order, with cardinality and lexical form', { skip: facts ? false : 'no facts beside the repository' }, async (t) => {
  for (const r of described.filter((d) => !(d.schema as Node).xml?.prefix)) {
    const wrong: string[] = []
    const type = facts!.globalElements[r.name]
    t.ok(type, `${r.name} is an element of the standard`)
    if (type) compare(facts!, r.name, r.schema as Node, type, wrong, new Set())
    t.same(wrong, [], r.name)
  }
})

t.test('SEP-152, SEP-154 whatever may be subscribed can be carried by a Notification', async (t) => {
  const names = new Set(carried.map((r) => r.name))
  for (const profile of ['csip', 'csip-aus-1.2', 'csip-aus-1.3', 'generic'] as const) {
    t.same(registryFor(profile).filter((s) => s.subscribable && !names.has(s.resource.name)).map((s) => s.resource.name), [], profile)
  }
  for (const r of carried) t.match(codec.write(Notification, { subscribedResource: '/x', Resource: { type: r.name, ...sample(r.schema, { seed: 1 }) as object }, status: 0, subscriptionURI: 'https://x/y' }).toString(), new RegExp(`<Resource xsi:type="${r.name}"`))
})

const matrix = join(packageRoot(), '../shared/specs/ieee2030_5/facts/methods.csv')
t.test('SEP-040 the method matrix: M works for clients, D for operators at most, E for nobody', { skip: existsSync(matrix) ? false : 'no facts beside the repository' }, async (t) => {
  const shape = (path: string): string => path.replace(/\{[^}]+\}/g, '{}')
  const [head = '', ...rows] = readFileSync(matrix, 'utf8').trim().split('\n')
  const columns = head.split(',')
  // Interpretation: responses hang below sets of ours, and the methods of a mirror belong to the series alias too; lists below an FSA are ours.
  for (const row of rows) {
    const cell = Object.fromEntries(row.split(',').map((v, i) => [columns[i], v]))
    const served = registry.find((s) => s.resource.href && shape(s.resource.href.template) === shape(String(cell.samplePath)))
    // Billing and prepayment have no requirement of ours; notifications are received by clients.
    if (!served) { t.match(cell.samplePath, /^\/(bill|brs|ppy|ntfy)\b/, 'every other address of the matrix is served'); continue }
    for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'] as const) {
      const client = served.resource.methods.includes(method), operator = served.operator?.includes(method) ?? false
      const where = `${method} ${String(cell.samplePath)} ${String(cell[method])}`
      if (cell[method] === 'M') t.ok(client, where)
      if (cell[method] === 'D') t.notOk(client, where)
      // Interpretation: SEP-074 and SEP-079 give operators a cancel by PUT, and programs and curves of ours may be changed in place.
      if (cell[method] === 'E') t.notOk(client || (operator && method !== 'PUT'), where)
    }
  }
})

const epri = join(packageRoot(), '../shared/specs/ieee2030_5/samples/epri-settings')
t.test('SEP-035 what the EPRI client of 2013 PUTs is read', { skip: existsSync(epri) ? false : 'no samples beside the repository' }, async (t) => {
  for (const name of ['DERCapability', 'DERSettings', 'DERStatus', 'DERAvailability']) {
    const resource = described.find((r) => r.name === name)!
    const { value } = codec.read(readFileSync(join(epri, `${name}.xml`)), [resource])
    t.ok(Object.keys(value).length > 1, name)
  }
})

t.test('SEP-023, SEP-024 what is written reads back, whatever the optional parts', async (t) => {
  for (const r of described) {
    const check = compile(r.schema)
    for (const optional of [true, false]) {
      fc.assert(fc.property(fc.integer({ min: 1, max: 10_000 }), (seed) => {
        const value = sample(r.schema, { seed, optional }) as Record<string, unknown>
        const text = codec.write(r, value).toString()
        const back = fromXml(parseXml(text), r.schema, namespaces)
        const result = check(back)
        if (!result.ok) throw new Error(`${r.name}: ${JSON.stringify(result.faults)}`)
        if (codec.write(r, back as Record<string, unknown>).toString() !== text) throw new Error(`${r.name} changed: ${text}`)
      }), { numRuns: 10 })
    }
  }
  t.pass(`${described.length} descriptions`)
})

t.test('SEP-026, SEP-027, SEP-035 readers forgive order, case, prefix and the 2013 edition', async (t) => {
  const settings = described.find((r) => r.name === 'DERSettings')!, capability = described.find((r) => r.name === 'DERCapability')!, edev = described.find((r) => r.name === 'EndDevice')!
  const shuffled = '<a:DERSettings xmlns:a="urn:ieee:std:2030.5:ns" xmlns:v="urn:vendor"><a:updatedTime>5</a:updatedTime><v:secret>1</v:secret><a:unknown/><a:setMaxW><a:value>5</a:value><a:multiplier>1</a:multiplier></a:setMaxW><a:setGradW> 7 </a:setGradW><a:modesEnabled>00ab</a:modesEnabled></a:DERSettings>'
  t.same(codec.read(Buffer.from(shuffled), [settings]).value, { updatedTime: 5, setMaxW: { value: 5, multiplier: 1 }, setGradW: 7, modesEnabled: '00AB' })
  const old = '<DERCapability xmlns="http://ieee.org/2030.5"><modesSupported>09</modesSupported><rtgW><multiplier>0</multiplier><value>5</value></rtgW><type>4</type></DERCapability>'
  t.match(codec.read(Buffer.from(old), [capability]).value, { rtgMaxW: { value: 5 } })
  for (const digits of ['01E5', '1E400', '0012']) {
    const xml = `<EndDevice xmlns="${namespace2018}"><deviceCategory>${digits.length % 2 ? `0${digits}` : digits}</deviceCategory><sFDI>012345678905</sFDI><changedTime>0</changedTime></EndDevice>`
    t.equal(codec.read(Buffer.from(xml), [edev]).value.deviceCategory, digits.length % 2 ? `0${digits}` : digits, 'SEP-025 text stays text')
  }
  t.equal(codec.read(Buffer.from(`<EndDevice xmlns="${namespace2018}"><sFDI>012345678905</sFDI><changedTime>0</changedTime><enabled>1</enabled></EndDevice>`), [edev]).value.sFDI, 12345678905)
})

const shell = (inner: string): string => `<?xml version="1.0"?><Time xmlns="${namespace2018}">${inner}</Time>`
const whole = '<currentTime>1</currentTime><dstEndTime>0</dstEndTime><dstOffset>0</dstOffset><dstStartTime>0</dstStartTime><quality>3</quality><tzOffset>0</tzOffset>'
const abuse: Record<string, string | Buffer> = {
  'DOCTYPE': `<!DOCTYPE Time><Time xmlns="${namespace2018}">${whole}</Time>`,
  'entity bomb': `<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><Time xmlns="${namespace2018}">&c;</Time>`,
  'external entity': `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Time xmlns="${namespace2018}">&x;</Time>`,
  'undefined entity': shell('&boom;'),
  'nesting': shell('<a>'.repeat(20_000)),
  'attributes': shell(`<a ${Array.from({ length: 50_000 }, (_, i) => `a${i}="1"`).join(' ')}/>`),
  'duplicate attribute': shell('<a b="1" b="2"/>'),
  'two roots': `${shell(whole)}<Time xmlns="${namespace2018}"/>`,
  'trailing junk': `${shell(whole)}junk`,
  'unclosed': shell(whole).slice(0, -7),
  'wrong namespace': shell(whole).replace(namespace2018, 'urn:other'),
  'no namespace': `<Time>${whole}</Time>`,
  'unbound prefix': shell('<x:a/>'),
  'processing instruction': `<?xml version="1.0"?><?php x?><Time xmlns="${namespace2018}">${whole}</Time>`,
  'invalid UTF-8': Buffer.concat([Buffer.from(shell('').slice(0, -7)), Buffer.from([0xc3, 0x28]), Buffer.from('</Time>')]),
  'UTF-16': Buffer.from(shell(whole), 'utf16le'),
  'control character': shell('\u0001'),
  'empty': '',
  'not XML': '{"Time":1}',
  'reference flood': shell('&#0;'),
}

t.test('SEC-042, SEP-025 hostile XML is refused at once', async (t) => {
  const time = described.find((r) => r.name === 'Time')!
  codec.read(Buffer.from(shell(whole)), [time])
  for (const [name, xml] of Object.entries(abuse)) {
    const begun = performance.now()
    t.throws(() => codec.read(Buffer.from(xml as string), [time]), { name: 'Refusal' }, name)
    t.ok(performance.now() - begun < 100, `${name} within 100 ms`)
  }
  const named = codec.read(Buffer.from(shell(`${whole}<__proto__><polluted>1</polluted></__proto__><constructor/>`)), [time]).value
  t.notOk(Object.hasOwn(named, 'constructor'))
  t.equal((({}) as Record<string, unknown>).polluted, undefined)
})

t.test('SEC-042 mutated documents are read or refused, never anything else', async (t) => {
  const runs = Number(process.env['LOADSTONE_TEST_MUTATIONS'] ?? 6000)
  const documents = described.map((r) => ({ r, bytes: codec.write(r, sample(r.schema, { seed: 3, optional: true }) as Record<string, unknown>).subarray(0, 4000) }))
  let refused = 0
  let seed = 42
  const next = (n: number): number => { seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0; return seed % n }
  for (let i = 0; i < runs; i++) {
    const { r, bytes } = documents[i % documents.length]!
    const copy = Buffer.from(bytes)
    for (let k = next(6) + 1; k > 0; k--) {
      const at = next(copy.length)
      if (next(3) === 0) copy.copy(copy, at, next(copy.length), Math.min(copy.length, at + next(40)))
      else copy[at] = next(4) === 0 ? next(256) : '<>/&"=0 a9-'.charCodeAt(next(11))
    }
    try { codec.read(copy, [r]) } catch (error) {
      if ((error as Error).name !== 'Refusal') throw error
      refused++
    }
  }
  t.ok(refused > runs / 2, `${refused} of ${runs} refused`)
})

t.test('SEP-026 strictSchema refuses order, unknown and repeated children', async (t) => {
  const strict = makeCodec('csip', true), loose = makeCodec('csip')
  const good = '<setGradW>1</setGradW><setMaxW><multiplier>0</multiplier><value>5</value></setMaxW><updatedTime>1</updatedTime>'
  t.ok(strict.read(Buffer.from(sep('DERSettings', good)), [DERSettings]))
  for (const bad of [`<updatedTime>1</updatedTime>${good.replace('<updatedTime>1</updatedTime>', '')}`, `${good}<new>1</new>`, good.replace('<setGradW>1</setGradW>', '<setGradW>1</setGradW><setGradW>2</setGradW>'), good.replace('<multiplier>0</multiplier><value>5</value>', '<value>5</value><multiplier>0</multiplier>')]) {
    t.throws(() => strict.read(Buffer.from(sep('DERSettings', bad)), [DERSettings]), { name: 'Refusal' })
    t.ok(loose.read(Buffer.from(sep('DERSettings', bad)), [DERSettings]))
  }
  t.throws(() => strict.read(Buffer.from(sep('DERSettings', good).replace('<DERSettings', '<DERSettings color="red"')), [DERSettings]))
})
