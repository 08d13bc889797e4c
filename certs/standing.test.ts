import t from 'tap'
import { standingOf } from '#certs/index.js'
import { Kind } from '#certs/record.js'
import { testDatabase } from '#prisma/test-database.js'

t.test('CORE-021, SEC-008 the standing of a certificate by its LFDI: blocked, revoked, expired, not begun, or nothing against it', async (t) => {
  const { database, close } = await testDatabase()
  t.teardown(close)
  const now = Date.UTC(2026, 6, 15), year = 365 * 86_400_000, { documents } = database.stores
  const lfdi = (c: string): string => c.repeat(40), issued = (c: string, change: object) => ({ tenant: 'a', kind: Kind.certificate, id: c, parent: '', key: lfdi(c), body: { state: 'valid', notBeforeMs: now - year, notAfterMs: now + year, ...change } })
  await documents.insertMany([issued('A', {}), issued('B', { state: 'revoked' }), issued('C', { notAfterMs: now - 1 }), issued('D', { notBeforeMs: now + 1 }), issued('E', {}), issued('1', { state: 'superseded' })], now)
  const standing = standingOf({ isBlocked: (id) => id === lfdi('E') }, { nowMs: () => now }), of = (c: string, tenant = 'a') => standing({ documents }, tenant, lfdi(c))
  t.equal(await of('A'), undefined)
  t.equal(await standing({ documents }, 'a', lfdi('a')), undefined, 'in either case of letters')
  t.equal(await of('B'), 'is revoked')
  t.equal(await of('C'), 'expired on 2026-07-14')
  t.equal(await of('D'), 'is not valid yet')
  t.equal(await of('E'), 'is revoked or blocked')
  t.equal(await of('1'), undefined, 'renewed, and still in its own time')
  t.equal(await of('F'), undefined, 'issued elsewhere')
  t.equal(await of('B', 'b'), undefined, "another tenant's is not seen")
})
