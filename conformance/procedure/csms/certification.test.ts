import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fromReady } from '#conformance/from-ready.js'
import { certificationProfiles, certified } from '#conformance/procedure/csms/certification.js'
import { call, proc, step, v16, v2 } from '#conformance/procedure/csms/steps.js'
import { procedures } from '#conformance/registry.js'
import { select } from '#conformance/select.js'
import { packageRoot } from '#core/package-root.js'

const made = (profiles: readonly string[], ...messages: string[]) => certified(proc(profiles, 'x', 'x', 'OCPP-001', 'x', messages.map((message) => call(message, {}))))

t.test('UX-035 a CSMS is judged by the certification profiles that it declares; Core needs no word', async (t) => {
  t.match(made(v2, 'BootNotification', 'Heartbeat'), { tags: ['certification-core'], needs: undefined })
  t.match(made(v2, 'BootNotification', 'NotifyEVChargingNeeds'), { tags: ['certification-iso-15118'], needs: ['iso-15118'] })
  t.same(made(v16, 'TriggerMessage').needs, ['remote-trigger'], 'a feature profile of 1.6')
  t.equal(made(v2, 'TriggerMessage').needs, undefined, 'which is Core in 2.0.1')
  const ordered = certified(proc(v2, 'x', 'x', 'OCPP-001', 'x', [step('operator.request', 'order', { path: '/stations/${station}/ocpp/ReserveNow' })], { needs: ['operator-ocpp'] }))
  t.same(ordered.needs, ['operator-ocpp', 'reservation'], 'what its operator lets it send counts too')
})

t.test('UX-035 the Core set can be chosen by its tag, and asks for nothing of another profile', async (t) => {
  for (const profile of ['2.0.1', '2.1', '1.6']) {
    const core = select(procedures.csms, { profile, only: ['tag:certification-core'], smoke: false, seed: 0 })
    t.ok(core.length > 50, `${profile}: ${core.length}`)
    t.same(core.filter((p) => p.needs?.some((need) => certificationProfiles.includes(need))).map((p) => p.id), [])
  }
})

t.test('UX-035 our own CSMS declares every profile, and the README names each', async (t) => {
  const pki = t.testdir({ 'tls-ca.pem': '', 'ocpp-ca.pem': '', 'ocpp-ca.key': '', 'cs011.pem': '', 'cs011.key': '' }), ready = join(pki, 'ready.json')
  writeFileSync(ready, JSON.stringify({ ready: true, ocpp: 'ws://localhost:1/ocpp', pki }))
  const declared = fromReady(ready, 'csms').capabilities ?? []
  t.same(certificationProfiles.filter((profile) => !declared.includes(profile)), [])
  const readme = readFileSync(join(packageRoot(import.meta.url), 'conformance/README.md'), 'utf8')
  for (const profile of certificationProfiles) t.match(readme, new RegExp(`\\b${profile}\\b`), profile)
})
