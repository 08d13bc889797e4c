import t from 'tap'
import { claimBaseline, runsOf } from '#core/flex/claim-baseline.js'
import { prognosisKind, type Prognosis } from '#core/flex/prognosis.js'
import { scene, start } from '#core/dispatch/test-scene.js'

const claim = (from: number, seconds: number, Wh: number) => ({ start: from, end: from + seconds, Wh })

t.test('CORE-093, CORE-121 a claim in the intervals of a program: finer ones are added up, parts of one are summed, gaps divide, coarser ones are left out', async (t) => {
  t.same(runsOf([claim(0, 900, 2500), claim(900, 900, 5000), claim(2700, 900, 0)], 900), [{ start: 0, kW: [10, 20] }, { start: 2700, kW: [0] }])
  t.same(runsOf([claim(0, 900, 1000), claim(0, 900, 1500)], 900), [{ start: 0, kW: [10] }], 'two resources of one report')
  t.same(runsOf([claim(0, 300, 500), claim(300, 300, 500), claim(600, 300, 500), claim(900, 300, 500)], 900), [{ start: 0, kW: [6] }], 'the second quarter is not claimed whole')
  t.same(runsOf([claim(0, 3600, 8000), claim(900, 900, 1000), claim(3600, 900, 1000)], 900), [{ start: 3600, kW: [4] }])
  t.same(runsOf([claim(450, 900, 1000)], 900), [], 'off the grid')
  t.same(runsOf([claim(0, 900, -500)], 900), [{ start: 0, kW: [-2] }], 'export is negative')
  t.same(runsOf([], 900), [])
})

t.test('CORE-093 a claim goes to the programs that its point is active in, once for each message', async (t) => {
  const { core, database, me, tenant, resources, program } = await scene(t, { points: 2, program: { baseline: { method: 'NOMINATED', level: 'portfolio' } } }), r = resources[0]!
  const say = (lineage: string, Wh: number) => core.transact((w) => claimBaseline(w, me, { resource: r.id, claims: [claim(start, 900, Wh), claim(start + 900, 900, Wh)], source: 'openadr:site', lineage }))
  t.equal(await say('report/1', 2500), 1)
  t.equal(await say('report/1', 2500), 0, 'the same message again')
  t.equal(await say('report/2', 5000), 1)
  t.equal(await say('report/3', 2500), 1, 'back to the first words is a newer claim')
  const found = await database.stores.documents.list<Prognosis>(tenant, { kind: prognosisKind, order: ['createdAt', 'id'] })
  t.same(found.map((d) => [d.body.program, d.body.servicePoint, d.body.kW, d.body.source]), [10, 20, 10].map((kW) => [program.id, r.servicePoint, [kW, kW], 'openadr:site']))
  t.equal(await core.transact((w) => claimBaseline(w, me, { resource: 'nobody', claims: [claim(start, 900, 1)], source: 'x', lineage: 'x' })), 0)
})
