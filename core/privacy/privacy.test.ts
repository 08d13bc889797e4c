import t from 'tap'
import * as fc from 'fast-check'
import { leak, type Told } from '#core/privacy/differencing.js'
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

const people = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `p${from + i}`)
const july = { start: 0, end: 31 }, told = (members: string[], window = july): Told => ({ window, members })

t.test('REL-085 CORE-222 no sum or difference of what was told shows fewer than 15 members', async (t) => {
  t.match(leak([told(people(0, 50))], told(people(0, 47))), { kind: 'near-equal' })
  t.match(leak([told(people(0, 50)), told(people(0, 20))], told(people(20, 47))), { kind: 'combination', members: 3 }, 'a total less both of its groups')
  t.equal(leak([told(people(0, 50))], told(people(0, 50))), undefined, 'the same question again')
  t.equal(leak([told(people(0, 50))], told(people(0, 20))), undefined, '30 others remain')
  t.equal(leak([told(people(0, 50))], told(people(0, 49), { start: 31, end: 62 })), undefined, 'another month shares nothing')
  t.match(leak([told(people(0, 50))], told(people(0, 49), { start: 0, end: 32 })), { kind: 'near-equal' }, 'one day longer is the same question')
})

t.test('REL-085 whoever asks at random and adds and subtracts afterwards never isolates a member', async (t) => {
  // ask = a run of people over a run of days; the asker keeps what is allowed
  const ask = fc.tuple(fc.nat(60), fc.nat(60), fc.nat(3), fc.integer({ min: 1, max: 3 }))
  fc.assert(fc.property(fc.array(ask, { minLength: 2, maxLength: 12 }), (asks) => {
    const kept: Told[] = []
    for (const [a, b, day, length] of asks) {
      const next: Told = { window: { start: day, end: day + length }, members: people(Math.min(a, b), Math.max(a, b)) }
      if (next.members.length >= 15 && !leak(kept, next)) kept.push(next)
    }
    // every pair, added or subtracted: what does not cancel has nobody left, or 15
    for (const x of kept) for (const y of kept) {
      const days = [0, 1, 2, 3, 4, 5], holds = (n: Told, id: string, d: number): number => (n.window.start <= d && d < n.window.end && n.members.includes(id) ? 1 : 0)
      const left = people(0, 60).filter((id) => days.some((d) => holds(x, id, d) !== holds(y, id, d)))
      if (left.length > 0 && left.length < 15) return false
    }
    return true
  }), { numRuns: 200 })
  t.pass('0 leaks in 200 runs')
})
