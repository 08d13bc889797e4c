import t from 'tap'
import { differs, release } from '#core/privacy/k-anonymity.js'
import { pseudonym } from '#core/privacy/pseudonym.js'

const ones = (n: number, v = 1): number[] => Array.from({ length: n }, () => v)

t.test('CORE-221 small groups and dominant members are suppressed, and the group that would give one away', async (t) => {
  t.match(release({ a: [...ones(20), 50], b: ones(15), c: ones(16) }, { totalPublished: true }), { primarySuppressed: ['a'], secondarySuppressed: ['b'], published: { c: 16 }, total: 101 })
  t.match(release({ a: ones(14), b: ones(14), c: ones(16) }, { totalPublished: true }), { primarySuppressed: ['a', 'b'], secondarySuppressed: [], published: { c: 16 } })
  t.match(release({ a: ones(14), b: ones(20) }, { totalPublished: false }), { secondarySuppressed: [], published: { b: 20 }, total: null })
  t.match(release({ a: ones(3) }, { totalPublished: true }), { primarySuppressed: ['a'], total: null }, 'the total would be the group')
  t.match(release({ a: ones(3), z: ones(16), m: ones(16) }, { totalPublished: true }), { secondarySuppressed: ['m'] }, 'equal counts: by name')
  t.match(release({ a: ones(20, -1) }, { totalPublished: true }), { published: { a: -20 } }, 'shares are of absolute values')
})

t.test('CORE-222 near-equal groups are refused', async (t) => {
  const ids = (from: number, to: number): Set<string> => new Set(Array.from({ length: to - from }, (_, i) => `p${from + i}`))
  t.same([differs(ids(0, 50), ids(0, 50)), differs(ids(0, 50), ids(0, 49)), differs(ids(0, 50), ids(7, 57)), differs(ids(0, 50), ids(8, 58))], ['same', 'refused', 'refused', 'allowed'])
})

t.test('CORE-220 a new scope or key breaks linkage', async (t) => {
  const key = new Uint8Array(32), other = new Uint8Array(32).fill(1)
  t.equal(new Set([pseudonym(key, 'a', 'x'), pseudonym(key, 'b', 'x'), pseudonym(other, 'a', 'x')]).size, 3)
  t.match(pseudonym(key, 'a', 'é'), /^[0-9a-f]{32}$/)
})
