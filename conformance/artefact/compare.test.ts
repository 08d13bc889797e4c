import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { comparisons, openapi } from '#conformance/artefact/compare.js'
import { likeliest, ocppDifferences, ourSchemas, readSchemas, versions } from '#conformance/artefact/ocpp.js'
import { describedResources, readTypes, sepDifferences } from '#conformance/artefact/sep.js'
import { packageRoot } from '#core/package-root.js'

const specs = join(packageRoot(import.meta.url), '../shared/specs')
const xsd = (type: string): string => `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x" targetNamespace="urn:x"><xs:element name="Time" type="Time"/>
<xs:complexType name="Resource"><xs:attribute name="href" type="xs:anyURI"/></xs:complexType>
<xs:complexType name="Base"><xs:complexContent><xs:extension base="Resource"><xs:sequence><xs:element name="first" type="xs:int"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
<xs:complexType name="Time"><xs:complexContent><xs:extension base="Base"><xs:sequence>${type}</xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:schema>`

t.test('SEP-024 a schema is read as it is published: children of the base first, groups and choices, what must be there', async (t) => {
  const file = join(t.testdir({ 'sep.xsd': xsd('<xs:element name="a" type="xs:int" minOccurs="0"/><xs:choice><xs:element name="b" type="xs:int"/><xs:element name="c" type="xs:int"/></xs:choice><xs:element name="d" type="xs:int"/>') }), 'sep.xsd')
  t.same(readTypes(file)['Time']?.elements, [{ name: 'first', min: 1 }, { name: 'a', min: 0 }, { name: 'b', min: 0 }, { name: 'c', min: 0 }, { name: 'd', min: 1 }])
})

t.test('SEP-024 every description is found by itself and held to order and presence of the schema', async (t) => {
  const resources = await describedResources()
  t.ok(resources.length >= 100, `${resources.length} resources`)
  const time = resources.filter((r) => r.name === 'Time'), members = ['currentTime', 'dstEndTime', 'dstOffset', 'dstStartTime', 'localTime', 'quality', 'tzOffset']
  const types = (names: readonly string[], optional = 'localTime'): object => ({ Time: { elements: names.map((name) => ({ name, min: name === optional ? 0 : 1 })) } })
  t.same(sepDifferences(time, types(members) as never), { compared: 1, differences: [] })
  t.match(sepDifferences(time, types(members.toReversed()) as never).differences, [/^Time: here currentTime .*; there tzOffset /])
  t.same(sepDifferences(time, types(members, 'quality') as never).differences, ['Time.localTime: must be there, need not here', 'Time.quality: must be here, need not there'])
})

t.test('SEP-024 no description differs from the facts beside the checkout', { skip: existsSync(join(specs, 'ieee2030_5')) ? false : 'they are not here' }, async (t) => {
  t.match(await comparisons['sep']?.(join(specs, 'ieee2030_5/facts/schema-2018-2.1.0.json')), { against: 'IEEE 2030.5', differences: [] })
})

t.test('OCPP-044 a copy of the schemas, folder or list, is known by its content, and each difference by its path', async (t) => {
  for (const version of versions) {
    t.equal(likeliest(ourSchemas(version)), version)
    t.same(ocppDifferences(ourSchemas(version), ourSchemas(version)), [])
  }
  const dir = t.testdir({ list: {}, folder: {} }), [name, schema] = [...ourSchemas('2.0.1')].find(([n]) => n === 'ClearCacheResponse') as [string, { definitions: Record<string, { enum?: string[] }> }]
  const theirs = JSON.parse(JSON.stringify(schema).replace('"Accepted"', '"Granted"')) as object
  writeFileSync(join(dir, 'folder', `${name}.json`), `\uFEFF${JSON.stringify({ ...theirs, $id: 'urn:OCPP:Cp:2:2020:3:ClearCacheResponse', comment: 'words', javaType: 'X' })}`)
  writeFileSync(join(dir, 'list.json'), JSON.stringify([{ ...theirs, $id: 'urn:ClearCache.conf' }]))
  for (const copy of [join(dir, 'folder'), join(dir, 'list.json')]) {
    const found = ocppDifferences(ourSchemas('2.0.1'), readSchemas(copy)).filter((d) => !d.endsWith(': only here'))
    t.same(found, ['ClearCacheResponse/definitions/ClearCacheStatusEnumType/enum: differs'], copy)
  }
  writeFileSync(join(dir, 'other.json'), '{}')
  t.throws(() => readSchemas(join(dir, 'other.json')), /neither a folder/)
})

t.test('OA-055 an OpenAPI file says itself which revision it is of; what has a reason is told apart', async (t) => {
  const dir = t.testdir({ 'old.yaml': 'info: { version: 3.0.1 }\ncomponents: { schemas: {} }\n', 'new.yaml': 'info: { version: 3.1.0 }\ncomponents: { schemas: { problem: { type: string } } }\n', 'none.yaml': 'a: 1\n' })
  t.match(await openapi(join(dir, 'old.yaml')), { against: 'OpenADR 3.0.1', compared: 6, explained: [] })
  const found = await openapi(join(dir, 'new.yaml'))
  t.equal(found.against, 'OpenADR 3.1.1')
  t.ok(found.differences.includes('3.1.1 problem: type "object" here, "string" there'))
  t.ok(found.differences.includes('3.1.1 program: only here'))
  await t.rejects(openapi(join(dir, 'none.yaml')), /no components/)
})
