import type { TLSSocket } from 'node:tls'
import t from 'tap'
import type { buildConnector } from 'undici'
import { turns } from '#sim/turns.js'

t.test('a fleet shakes hands in turn: never more than so many at once, and who fails makes room too', async (t) => {
  const begun: buildConnector.Callback[] = [], seen: unknown[] = []
  const open = turns(2)((_options, callback) => { begun.push(callback) }), at = { hostname: 'localhost', protocol: 'https:', port: '1' }
  for (let i = 0; i < 4; i++) open(at, (...result) => seen.push(result[0]?.message ?? 'open'))
  t.equal(begun.length, 2)
  begun[0]!(null, {} as TLSSocket)
  t.equal(begun.length, 3)
  begun[1]!(new Error('refused'), null)
  t.same([begun.length, seen], [4, ['open', 'refused']])
})
