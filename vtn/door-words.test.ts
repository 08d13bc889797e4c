import t from 'tap'
import { base, testVtn } from '#vtn/test-vtn.js'

const v = await testVtn()
t.teardown(() => v.close())
const { id: programID } = (await v.call('POST', '/programs', 'bl_client', { programName: 'p' })).json()
const faults = async (path: string, as: string, body: object): Promise<unknown> => (await v.call('POST', path, as, body)).json().faults

t.test('OA-055 a refusal says in words what would be right, once, and of the form that was meant', async (t) => {
  const event = (intervalPeriod: object) => ({ programID, intervalPeriod, intervals: [] })
  t.same(await faults('/events', 'bl_client', event({ start: '2026-07-01 16:00:00' })), [{ path: '/intervalPeriod/start', reason: 'must be an RFC 3339 time with its zone, such as 2026-07-01T16:00:00Z' }])
  t.same(await faults('/events', 'bl_client', event({ start: '2026-07-01T16:00:00Z', duration: '1:00:00' })), [{ path: '/intervalPeriod/duration', reason: 'must be an ISO 8601 duration, such as PT15M' }])
  for (const body of [{ venName: 'v' }, { objectType: 'VEN', venName: 'v' }, { objectType: 7, venName: 'v' }]) t.same(await faults('/vens', 'ven_client', body), [{ path: '/objectType', reason: 'must be VEN_VEN_REQUEST or BL_VEN_REQUEST' }])
  t.same(await faults('/vens', 'bl_client', { objectType: 'BL_VEN_REQUEST', venName: '' }), [{ path: '/clientID', reason: 'is required' }, { path: '/venName', reason: 'must NOT have fewer than 1 characters' }])
  t.same(await faults('/vens', 'ven_client', { objectType: 'VEN_VEN_REQUEST' }), [{ path: '/venName', reason: 'is required' }])
})

t.test('OA-007 OA-008 OA-026 what a client of another language trips over is named: media type, slash at the end, scope', async (t) => {
  const form = await v.app.inject({ method: 'POST', url: `${base}/programs`, headers: { 'authorization': `Bearer ${await v.token()}`, 'content-type': 'application/x-www-form-urlencoded' }, payload: 'programName=x' })
  t.match([form.statusCode, form.json().detail], [415, /application\/json/])
  t.match((await v.call('GET', '/programs/')).json(), { status: 404, detail: /without a slash/ })
  const ask = async (scope: string) => (await v.app.inject({ method: 'POST', url: `${base}/auth/token`, headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'ven_client', client_secret: '999', scope }).toString() })).json()
  t.match(await ask('read_all'), { error: 'invalid_scope', error_description: /scope read_all, only .*read_targets/ })
  t.notMatch((await ask('<script>"')).error_description, /<script|"/)
})
