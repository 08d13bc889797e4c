import t from 'tap'
import { mismatch } from '#conformance/match.js'

const is = (value: unknown, wanted: Parameters<typeof mismatch>[1]): boolean => mismatch(value, wanted) === undefined

t.test('UX-035 what a standard leaves open is compared by meaning, what it means is not let off', async (t) => {
  for (const [got, sent] of [
    ['2030-01-01T00:00:00+00:00', '2030-01-01T00:00:00Z'], ['2030-01-01T01:00:00.000+01:00', '2030-01-01T00:00:00Z'], ['0001-01-01T00:00:00Z', '0001-01-01'], ['0001-01-01T00:00:00+00:00', '0001-01-01T00:00:00'],
    ['P9999Y0M0DT0H0M0S', 'P9999Y'], ['P1D', 'PT24H'], ['P7D', 'P1W'], ['P0Y0M0DT1H0M0S', 'PT1H'], [{ a: 1.0, more: null }, { a: 1 }], [[{ start: '2030-01-01T00:00:00.0Z', duration: 'PT60M' }], [{ start: '2030-01-01T00:00:00Z', duration: 'PT1H' }]],
  ]) t.ok(is(got, { same: sent }), JSON.stringify([got, sent]))
  for (const [got, sent] of [
    ['2030-01-01T00:00:01Z', '2030-01-01T00:00:00Z'], ['2030-01-01T00:00:00', '2030-01-01T00:00:00Z'], ['0001-01-02', '0001-01-01'], ['P1M', 'P30D'], ['P1Y', 'P9999Y'], ['-PT1H', 'PT1H'], ['P', 'PT0S'], ['price', 'PRICE'], ['1', 1], [[1, 2], [2, 1]], [[1], [1, 1]], [{}, { a: 1 }], [undefined, 'x'], [[], {}],
  ]) t.notOk(is(got, { same: sent }), JSON.stringify([got, sent]))
  t.ok(is(['b', 'a', 'a'], { sameSet: ['a', 'b', 'a'] }))
  for (const got of [['a', 'b'], ['a', 'b', 'b'], ['a', 'b', 'a', 'c'], 'aba', undefined]) t.notOk(is(got, { sameSet: ['a', 'b', 'a'] }))
  t.ok(is(undefined, { any: [{ exists: false }, { matches: '^x' }] }) && is('xy', { any: [{ exists: false }, { matches: '^x' }] }))
  t.match(mismatch('y', { any: [{ exists: false }, { matches: '^x' }] }), /nothing.*or.*like/)
})

t.test('UX-035 XML Schema values are compared as values', async (t) => {
  for (const [got, wanted] of [['3', '03'], ['0f', '0F'], ['F', '0F'], ['+5', '5'], ['-07', '-7'], ['1', 'true'], [' false ', 'false'], ['0', '00']]) t.ok(is(got, { lexical: wanted as string }), `${got} is ${wanted}`)
  for (const [got, wanted] of [['30', '03'], ['-3', '3'], ['true', '1'], ['yes', 'true'], ['', '0'], ['x', 'y'], ['A ', 'word'], [undefined, '1'], [3, '3']]) t.notOk(is(got, { lexical: wanted as string }), `${got} is not ${wanted}`)
})
