import * as fc from 'fast-check'
import { Type } from 'typebox'
import t from 'tap'
import { attribute, boolean, hexBinary, integer, text } from '#core/describe/field.js'
import { compile } from '#core/describe/json-schema.js'
import { sample } from '#core/describe/sample.js'
import { plainXml } from '#core/describe/plain-xml.js'
import { fromXml, parseXml } from '#core/describe/xml.js'
import { xmlWriter } from '#core/describe/xml-writer.js'

const limits = { maxDepth: 32, maxElements: 20_000, maxAttributes: 32 }

const Dog = Type.Object({ barks: boolean() }), Cat = Type.Object({ lives: integer(0, 9) })
const House = Type.Object({
  href: Type.Optional(text(20, attribute)),
  name: text(40),
  code: Type.Optional(hexBinary(2)),
  room: Type.Optional(Type.Array(Type.Object({ size: integer(0, 99) }))),
  fence: Type.Optional(text(9, { xml: { prefix: 'x' } })),
  pet: Type.Optional(Type.Unsafe<object>({ type: 'object', xml: { substitutes: { Dog, Cat } } })),
})
const write = xmlWriter('House', House, { namespace: 'urn:h', prefixes: { x: 'urn:x' } })
const both = new Set(['urn:h', 'urn:x'])
const refused = { name: 'Refusal', kind: 'invalid' }

t.test('SEP-023, SEP-024 the writer keeps the order of the description and declares what it uses', async (t) => {
  const value = { fence: 'a<b', room: [{ size: 1 }, { size: 2 }], name: 'R&D', href: '/h"1', code: 'ab', pet: { type: 'Cat', lives: 9 } }
  t.equal(write(value), '<?xml version="1.0" encoding="UTF-8"?>\n<House xmlns="urn:h" xmlns:x="urn:x" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" href="/h&quot;1"><name>R&amp;D</name><code>AB</code><room><size>1</size></room><room><size>2</size></room><x:fence>a&lt;b</x:fence><pet xsi:type="Cat"><lives>9</lives></pet></House>')
  t.equal(write({ name: '' }), '<?xml version="1.0" encoding="UTF-8"?>\n<House xmlns="urn:h"><name></name></House>')
  t.equal(write({ name: 'a\u0000b' }).includes('ab'), true, 'what XML cannot carry is left out')
  t.throws(() => write({ name: '', pet: { type: 'Fish' } }))
})

t.test('SEP-025, SEP-026 the reader takes any order, prefix and case, and text stays text', async (t) => {
  const read = (xml: string): unknown => fromXml(parseXml(xml), House, both)
  t.same(read('<q:House xmlns:q="urn:h" xmlns:o="urn:o" href="/1" o:href="/2"><o:name>no</o:name><q:code>0e1a</q:code><q:name>007</q:name><q:more/></q:House>'), { href: '/1', code: '0E1A', name: '007' })
  t.same(read('<House xmlns="urn:h"><name><![CDATA[a<]]>b</name><pet xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Dog"><barks>1</barks></pet></House>'), { name: 'a<b', pet: { type: 'Dog', barks: true } })
  t.same(read('<House xmlns="urn:h"><name>a</name><fence>unqualified elsewhere</fence></House>'), { name: 'a', fence: 'unqualified elsewhere' })
  const check = compile(House)
  for (let seed = 1; seed < 50; seed++) {
    const { pet: _pet, ...value } = sample(House, { seed, optional: true }) as Record<string, unknown>
    const back = fromXml(parseXml(write(value)), House, both)
    t.same(back, value)
    t.ok(check(back).ok)
  }
  const numbers = fromXml(parseXml('<House xmlns="urn:h"><name>x</name><room><size>1e1</size></room></House>'), House, both)
  t.notOk(check(numbers).ok, 'an integer has no exponent')
})

t.test('SEP-180 a member that other types may stand for is itself, unless its type says otherwise', async (t) => {
  const Animal = Object.assign(Type.Object({ name: text(9) }), { xml: { substitutes: { Dog: Type.Object({ name: text(9), barks: boolean() }) } } })
  const Zoo = Type.Object({ animal: Type.Array(Animal) }), value = { animal: [{ name: 'a' }, { type: 'Dog', name: 'b', barks: true }] }
  const xml = xmlWriter('Zoo', Zoo, { namespace: 'urn:h' })(value)
  t.match(xml, /<animal><name>a<\/name><\/animal><animal xsi:type="Dog"><name>b<\/name><barks>true<\/barks><\/animal>/)
  t.same(fromXml(parseXml(xml), Zoo, both), value)
  t.same(fromXml(parseXml(xml.replace('"Dog"', '"Cat"')), Zoo, both), { animal: [{ name: 'a' }, { name: 'b' }] }, 'an unknown type is read as far as it is known')
})

t.test('SEC-042 what is not plain, well-formed XML is refused', async (t) => {
  for (const xml of ['', '<a>', '<a/><b/>', '<a/>x', '<!DOCTYPE a><a/>', '<a b="1" b="2"/>', '<p:a/>', '<a>&x;</a>', '<?go?><a/>', '<a>\u0001</a>']) t.throws(() => parseXml(xml), refused, xml)
  t.throws(() => parseXml(Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e])), refused, 'not UTF-8')
  t.throws(() => parseXml('<a>'.repeat(40)), refused, 'depth')
  t.throws(() => parseXml(`<a>${'<b/>'.repeat(30)}</a>`, { maxElements: 20 }), refused, 'elements')
  t.throws(() => parseXml(`<a ${Array.from({ length: 40 }, (_, i) => `b${i}="1"`).join(' ')}/>`), refused, 'attributes')
  t.equal(parseXml('<a __proto__="1"><constructor/></a>').children[0]?.name, 'constructor')
})

t.test('SEC-042 the short way for plain documents reads what the full parser reads, and takes nothing that it refuses', async (t) => {
  const whole = '<?xml version="1.0" encoding="UTF-8"?>\n<Time xmlns="urn:x" href="/tm" pollRate="9">\n <a>1</a><b c="2"/>text<d> x\r\ny </d></Time>\n'
  t.ok(plainXml(whole, limits))
  const both = (xml: string): void => {
    const short = plainXml(xml, limits)
    if (!short) return
    let full: unknown
    try { full = parseXml(xml, { thorough: true }) } catch (error) { throw new Error(`taken although refused: ${JSON.stringify(xml)} ${(error as Error).message}`, { cause: error }) }
    if (JSON.stringify(full) !== JSON.stringify(short)) throw new Error(`read otherwise: ${JSON.stringify(xml)} ${JSON.stringify(short)} ${JSON.stringify(full)}`)
  }
  both('<a xmlns=" urn:x\t"/>')
  const pieces = ['<', '>', '/', '="', '"', "'", ' ', 'a', 'b', ':', 'xmlns', '<a>', '</a>', '<b/>', ' x="1"', '&', '&amp;', ']]>', '<!--', '-->', '<![CDATA[', '<?', '?>', '\n', '\r', '\t', '\u0001', 'é', '.', '-', '1', '<Time xmlns="urn:x">', '</Time>', '<a:b>', ' xmlns:a="u"', '\ud800', '=']
  fc.assert(fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (some) => both(some.join(''))), { numRuns: 3000 })
  fc.assert(fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 4 }), fc.nat(whole.length), fc.nat(12), (some, at, gone) => both(whole.slice(0, at) + some.join('') + whole.slice(at + gone))), { numRuns: 5000 })
})

t.test('SEP-064, SEP-240 a frozen member is written once, and brings its prefixes to each document that it stands in', async (t) => {
  let read = 0
  const one = Object.freeze({ get name() { read++; return 'a' }, fence: 'f' })
  const Street = Type.Object({ house: Type.Array(House) }), street = xmlWriter('Street', Street, { namespace: 'urn:h', prefixes: { x: 'urn:x' } })
  const text = '<house><name>a</name><x:fence>f</x:fence></house>'
  for (const house of [[one], [{ name: 'b' }, one], [{ name: 'b' }]]) {
    const xml = street({ house })
    t.equal(xml.includes('xmlns:x="urn:x"'), house.includes(one as never))
    t.equal(xml.includes(text), house.includes(one as never))
  }
  t.equal(read, 1)
  const changing = { name: 'c' }
  street({ house: [changing] })
  changing.name = 'd'
  t.match(street({ house: [changing] }), /<name>d</)
})
