import * as fc from 'fast-check'
import t from 'tap'
import { chain, genesis, jcs, link, verifyChain, type AuditRecord } from '#core/audit/chain.js'

t.test('CORE-230 JCS: members in UTF-16 order, no white space, ECMAScript escapes; fractions and broken strings refused', async (t) => {
  t.equal(jcs({ b: 1, a: 'x\n\u20ac', '\u{1F600}': [1, { z: 'q', y: -2 }], '\uFB33': 0 }), '{"a":"x\\n€","b":1,"😀":[1,{"y":-2,"z":"q"}],"\uFB33":0}')
  t.throws(() => jcs({ a: 1.5 }), /integers and strings/)
  t.throws(() => jcs({ a: true } as never), /integers and strings/)
  t.throws(() => jcs({ a: '\ud800' }), /broken/)
})

t.test('CORE-230 verification names the first broken record', async (t) => {
  const records: AuditRecord[] = Array.from({ length: 20 }, (_, i) => ({ seq: i + 1, action: `a${i}` })), hashes = chain(records)
  const entries = records.map((record, i) => ({ record, hash: hashes[i]! }))
  t.match(verifyChain(entries), { ok: true, count: 20, head: hashes[19] })
  t.match(verifyChain([]), { ok: true, head: genesis })
  fc.assert(fc.property(fc.nat({ max: 19 }), (at) => {
    const v = verifyChain(entries.map((e, i) => (i === at ? { ...e, record: { ...e.record, action: 'forged' } } : e)))
    return !v.ok && v.index === at
  }))
  t.match(verifyChain(entries.filter((_, i) => i !== 7)), { ok: false, index: 7, record: { seq: 9 } }, 'a removed record')
  t.match(verifyChain(entries.slice(10), hashes[9]), { ok: true, count: 10 }, 'from a known head')
  t.equal(link(genesis, { action: 'a', seq: 1 }), link(genesis, { seq: 1, action: 'a' }), 'the order of members does not matter')
})
