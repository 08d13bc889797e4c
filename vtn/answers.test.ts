import t from 'tap'
import { bl, sceneOn, testVtn } from '#vtn/test-vtn.js'

/** What goes out from memory. */
const v = await testVtn()
t.teardown(() => v.close())
const { fresh, program } = sceneOn(v)

t.test('OA-012 OA-006 OA-011 ETag and 304, gzip, headers, request ids', async (t) => {
  const p = await program(fresh('etag'), { programDescriptions: [{ URL: `https://example.com/${'x'.repeat(2000)}` }] })
  const one = await v.call('GET', `/programs/${p.id}`)
  const etag = one.headers['etag'] as string
  t.match(one.headers, { 'cache-control': 'private, no-cache', vary: /Authorization/, 'x-request-id': /^[0-9a-f-]{36}$/ })
  const again = await v.call('GET', `/programs/${p.id}`, bl, undefined, { 'if-none-match': etag })
  t.equal(again.statusCode, 304)
  t.equal(again.body, '')
  t.equal((await v.call('GET', `/programs/${p.id}`, bl, undefined, { 'if-none-match': '"other"' })).statusCode, 200)
  const packed = await v.call('GET', `/programs/${p.id}`, bl, undefined, { 'accept-encoding': 'gzip, br' })
  t.equal(packed.headers['content-encoding'], 'gzip')
  await v.call('PUT', `/programs/${p.id}`, bl, { programName: p.programName })
  const changed = await v.call('GET', `/programs/${p.id}`, bl, undefined, { 'if-none-match': etag })
  t.equal(changed.statusCode, 200)
  const bad = await v.call('GET', '/nothing')
  t.equal(bad.json().instance, `urn:uuid:${bad.headers['x-request-id']}`)
  t.match((await v.call('GET', '/nothing', bl, undefined, { accept: 'application/problem+json' })).headers['content-type'], /problem\+json/)
})
