import * as fc from 'fast-check'
import { connectAsync } from 'mqtt'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { Type } from 'typebox'
import { doorCheck, unstorable } from '#vtn/door-check.js'
import { exactTwin, plain, printed } from '#vtn/wire/literal.js'
import { eventPayloads, payloadFaults } from '#vtn/payload-rules.js'
import { readReport } from '#vtn/report-facts.js'
import { testVtn } from '#vtn/test-vtn.js'

const digits = ['9007199254740993', '-9007199254740993', '1.0', '1', '1e3', '1E+3', '0.10', '60', '-0', '-0.0', '123456789012345678901234567890', '0.1000000000000000055511151231257827', '1e-400', '0.00001', '1e21']
const asked = (text: string): string => text.replace(/\s/g, '')

t.test('OA-070 every number of JSON comes back digit for digit, and only numbers are touched', (t) => {
  const check = doorCheck(Type.Object({ values: Type.Array(Type.Union([Type.Number(), Type.String(), Type.Object({ x: Type.Number(), y: Type.Number() })])) }))
  const through = (text: string): string => printed(check(JSON.parse(text), text.length, exactTwin(text)))
  const token = fc.tuple(fc.constantFrom('', '-'), fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.constantFrom('', '.0', '.50', '.000000000000000001'), fc.constantFrom('', 'e3', 'E-7', 'e+0')).map((p) => p.join(''))
  const word = fc.oneof(fc.string({ unit: 'binary' }).filter((s) => !unstorable.test(s)), fc.constantFrom('{"_n":"1.0"}', '"1.0", 1.0', '\\"1.0', '[1.0]', ' 1.0 ', '\\u0000')).map((s) => JSON.stringify(s))
  fc.assert(fc.property(fc.array(fc.oneof(token, word, token.map((n) => `{"x":${n},"y":${n}}`)), { maxLength: 12 }), (items) => {
    const text = `{"values":[${items.join(',')}]}`
    return through(text) === text
  }))
  t.equal(through('{"values":[1.0],"values":[ 1 ,2.50]}'), '{"values":[1,2.50]}', 'of two members of one name the last one counts, digits included')
  t.throws(() => through('{"values":[{"_n":"5"}]}'), 'nobody else can write what we write')
  t.equal(exactTwin('{"values":[60,0.1],"at":"PT15.50S 1"}'), undefined, 'numbers that a double holds cost nothing')
  const long = `{"values":["${'\\"'.repeat(500_000)}",1.0]}`
  t.equal(through(long), long)
  t.end()
})

t.test('OA-087 CORE-093 what counts with a value sees the number', (t) => {
  const payload = (type: string, text: string) => ({ type, values: (exactTwin(`{"values":[${text}]}`) as { values: unknown[] }).values })
  t.same(payloadFaults('event', [[payload('SIMPLE', '2.0'), payload('CTA2045_REBOOT', '1.0'), payload('PRICE', '1e-1')]]), [])
  t.equal(payloadFaults('event', [[payload('SIMPLE', '2.50')]]).length, 1)
  t.ok(eventPayloads.get('CURVE')?.holds([{ x: 1, y: 2 }]))
  t.equal(plain('1.0'), '1.0')
  const interval = { id: 0, intervalPeriod: { start: '2026-06-01T12:00:00Z', duration: 'PT15M' } }
  const report = { eventID: 'e', clientName: 'c', resources: [{ resourceName: 'r', intervals: [{ ...interval, payloads: [payload('USAGE', '1.50'), payload('LOAD_SHED_DELTA_AVAILABLE', '2.0'), payload('BASELINE', '3.0')] }] }] }
  const facts = readReport(report as never, { programID: 'p' }, 0)
  t.same([facts.energy[0]?.Wh, facts.available[0]?.down_W, facts.claimedBaseline[0]?.Wh, facts.faults], [1500, 2000, 3000, []])
  t.end()
})

t.test('OA-070 OA-122 OA-140 OA-249 digits survive POST, store, GET, PUT, webhook, MQTT and 3.0.1', async (t) => {
  const raw: string[] = []
  const hook = createServer((request, response) => { let body = ''; request.on('data', (d) => { body += String(d) }).on('end', () => { raw.push(body); response.end() }) })
  await new Promise<void>((done) => { hook.listen(0, '127.0.0.1', done) })
  const v = await testVtn({ webhooks: { echo: 'off', allowHttp: true, allow: ['127.0.0.1'] }, mqtt: { uris: ['mqtt://localhost'] }, validation: { payloads: 'strict' } })
  t.teardown(async () => { hook.closeAllConnections(); hook.close(); await v.close() })
  const broker = v.vtn.broker?.()
  if (!broker) throw new Error('no broker')
  await new Promise<void>((done) => { broker.listen(0, '127.0.0.1', done) })
  const mqtt = await connectAsync(`mqtt://127.0.0.1:${(broker.address() as AddressInfo).port}`, { username: 'bl_client', password: await v.token('bl_client') })
  t.teardown(() => mqtt.endAsync(true))
  const heard: string[] = []
  mqtt.on('message', (_topic, payload) => heard.push(String(payload)))
  await mqtt.subscribeAsync('events/+', { qos: 1 })
  await v.call('POST', '/subscriptions', 'bl_client', { clientName: 's', objectOperations: [{ objects: ['EVENT'], operations: ['CREATE'], callbackUrl: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/` }] })
  const p = (await v.call('POST', '/programs', 'bl_client', { programName: 'digits' })).json()
  const intervals = `[{"id":0,"payloads":[{"type":"private","values":[${digits.join(',')},"1.0",{"x":1.0,"y":1e3}]},{"type":"SIMPLE","values":[1.0]}]}]`
  const body = `{"programID": "${p.id}", "priority": 1.0, "intervalPeriod":{"start":"2026-06-01T12:00:00Z","duration":"PT1H"}, "intervals": ${intervals}}`
  const made = await v.call('POST', '/events', 'bl_client', body)
  t.equal(made.statusCode, 201, made.body)
  const { id } = made.json(), path = `/events/${id}`, kept = (text: string): boolean => asked(text).includes(intervals)
  for (const [what, answer] of [
    ['POST', made], ['GET', await v.call('GET', path)], ['list', await v.call('GET', '/events')], ['3.0.1', await v.call('GET', `/openadr3/3.0.1${path}`)],
    ['PUT', await v.call('PUT', path, 'bl_client', body)], ['PUT 3.0.1', await v.call('PUT', `/openadr3/3.0.1${path}`, 'bl_client', body)], ['DELETE', await v.call('DELETE', path)],
  ] as const) t.ok(kept(answer.body), `${what}: ${answer.body}`)
  t.equal(made.json().priority, 1, 'what we count with is a plain number')
  await v.vtn.drain()
  await v.vtn.drain()
  for (let i = 0; i < 200 && !(raw.length && heard.length); i++) await new Promise((done) => { setTimeout(done, 10) })
  t.ok(raw.length === 1 && kept(raw[0] as string), String(raw[0]))
  t.ok(heard.length > 0 && kept(heard[0] as string), String(heard[0]))
  const program = await v.call('POST', '/openadr3/3.0.1/programs', 'bl_client', '{"programName":"flat","programLongName":"x","targets":[{"type":"GROUP","values":[1.0]}]}')
  t.match(program.body, /"targets":\[\{"type":"GROUP","values":\[1\.0\]\}\]/)
  t.same((await v.call('GET', `/programs/${program.json().id}`)).json().targets, ['GROUP=1.0'])
})
