import t from 'tap'
import { homes, programTerms, testDoor, type Call } from '#core/operator/test-door.js'

t.setTimeout(240_000)

const noon = Date.UTC(2026, 6, 15, 18), day = 86_400_000, lfdi = 'B'.repeat(40)

/** Six weeks of quarter hours from 12:00 to 21:00 in Denver; `Wh` by day back from the event day. */
const history = async (call: Call, servicePoint: string, Wh: (daysAgo: number, quarter: number) => number): Promise<void> => {
  for (let from = 1; from <= 45; from += 15) {
    const readings = Array.from({ length: 15 }, (_, d) => Array.from({ length: 36 }, (_, q) => ({ servicePoint, start: new Date(noon - (from + d) * day + q * 900_000).toISOString(), minutes: 15, Wh: Wh(from + d, q) }))).flat()
    const answer = await call('POST', 'readings', { readings })
    if (answer.statusCode !== 200) throw new Error(answer.body)
  }
}

t.test('CORE-021 class, certificate and baseline accuracy are rules like the others: data, and everything that fails is named at once', async (t) => {
  const { as, core } = await testDoor(t, { nowMs: noon, protocols: ['openadr', 'ieee2030_5'] }), call = await as('admin', 'ada')
  const eligibility = { nodes: ['F9'], kinds: ['heatPump'], customerClasses: ['residential'], minPower_W: 9000, minHistoryDays: 30, maxMeterMinutes: 15, baselineAccuracy: { rrmseMax: 0.2, biasMax: 0.04 }, protocols: ['ocpp'], certificateValid: true }
  await call('POST', 'programs', { ...programTerms, rules: { eligibility } })
  await call('POST', 'service-points', { name: 'shop', gridPath: ['F1'], customerClass: 'commercial' })
  await call('POST', 'resources', { name: 'pv', servicePoint: 'shop', kind: 'inverter', rated_kW: 5, bindings: [{ protocol: 'ieee2030_5', remoteId: lfdi }] })
  t.match((await call('GET', 'service-points/shop')).data, { customerClass: 'commercial' })
  const { data: e } = await call('POST', 'enrolments', { program: 'peak', servicePoint: 'shop' })
  const screened = () => call('POST', `enrolments/${e.id}/transitions`, { to: 'eligible' })
  const first = await screened()
  t.equal(first.statusCode, 409)
  t.strictSame(first.data.faults.map((f: { path: string }) => f.path).sort(), ['baselineAccuracy', 'certificate', 'customerClass', 'history', 'kind', 'meterInterval', 'minPower', 'node', 'protocol'], 'all nine')
  t.match(first.data.faults.find((f: { path: string }) => f.path === 'certificate').reason, /nobody here knows certificates/, 'what cannot be judged is not taken for granted')
  t.match(first.data.faults.find((f: { path: string }) => f.path === 'baselineAccuracy').reason, /no day without an event/)

  let wrong: string | undefined = 'expired on 2026-07-01'
  core.recognise(() => Promise.reject(new Error('not asked')), async (_, tenant, id) => (tenant === 'default' && id === lfdi ? wrong : 'is another one'))
  await call('PATCH', 'programs/peak', { rules: { eligibility: { customerClasses: ['residential', 'commercial'], certificateValid: true } } })
  t.match((await screened()).data.faults, [{ path: 'certificate', reason: "the certificate of 'pv' expired on 2026-07-01" }])
  wrong = undefined
  t.match(await screened(), { statusCode: 200, data: { state: 'eligible' } })
})

t.test('CORE-021, CORE-165 the accuracy of the program\'s own baseline on the point\'s days without an event decides', async (t) => {
  const { as } = await testDoor(t, { nowMs: noon }), call = await as('admin', 'ada')
  const rules = (accuracy: object) => ({ eligibility: { baselineAccuracy: accuracy }, compatibility: { '*': 'free' } })
  await homes(call, 0, { baseline: { method: 'CAISO_10IN10', level: 'point' }, rules: rules({}) })
  await call('POST', 'programs', { ...programTerms, name: 'biased', rules: rules({ rrmseMax: 2, biasMax: 0.01 }) })
  await call('POST', 'service-points', [{ name: 'steady' }, { name: 'wild' }, { name: 'rising' }])
  await history(call, 'steady', (_, q) => 1000 + 10 * (q % 4))
  // the load of the hours before says nothing of the event's
  await history(call, 'wild', (d, q) => (q < 16 ? 1000 : d % 2 === 0 ? 100 : 3000))
  await history(call, 'rising', (d, q) => (q < 16 ? 1000 : 4000 - 60 * d))
  const eligible = async (servicePoint: string, program = 'peak') => (await call('POST', 'enrolments', { program, servicePoint, to: 'eligible' }))
  t.match(await eligible('steady'), { statusCode: 201, data: { state: 'eligible' } })
  const wild = await eligible('wild')
  t.match(wild, { statusCode: 409, data: { faults: [{ path: /baselineAccuracy/, reason: /^RRMSE \d\.\d{3} with 0.2 allowed$/ }] } })
  t.ok(Number(/RRMSE (\S+)/.exec(wild.data.faults[0].reason)?.[1]) > 0.5)
  t.match((await eligible('rising', 'biased')).data.faults, [{ reason: /bias -0\.\d{3} with 0.01 allowed/ }])
  t.match(await eligible('steady', 'biased'), { statusCode: 201 })
})
