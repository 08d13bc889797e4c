import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import * as fc from 'fast-check'
import { evidence, secretsIn, shown, withoutSecrets } from '#conformance/evidence.js'
import { at, mismatch } from '#conformance/match.js'
import type { Matcher, Procedure, Report, Step, Verdict } from '#conformance/procedure.js'
import { procedures } from '#conformance/registry.js'
import { actions as drivers } from '#conformance/driver/index.js'
import { html } from '#conformance/report/html.js'
import { junit } from '#conformance/report/junit.js'
import { annotations, json, markdown, tap, terminal } from '#conformance/report/plain.js'
import { fill, runAll, type Action, type Target } from '#conformance/runner.js'
import { againstExpected, select } from '#conformance/select.js'
import { junitFaults } from '#conformance/report/junit-rules.js'
import { lfdiOf } from '#certs/lfdi.js'
import { signCertificate } from '#certs/x509/issue.js'
import { certificatePem } from '#certs/x509/pem.js'
import { keySigner, spkiOf } from '#certs/x509/signer.js'
import { schemaCheck } from '#conformance/driver/schema.js'
import { planted } from '#conformance/fault/planted.js'
import { plantedVens } from '#conformance/fault/ven.js'
import { readStatement, signStatement, statementKey, statementOf } from '#conformance/report/statement.js'
import { makeTarget } from '#conformance/target.js'

const target: Target = { url: 'https://vtn.example:8081/base', subject: 'vtn', profile: '3.1.1', capabilities: new Set(['here']), values: { word: 'w', list: [{ a: 1 }, { a: 2 }] } }
const step = (expect: Record<string, Matcher>, more: Partial<Step> = {}): Step => ({ say: 'a step', do: 'echo', with: { v: '${word}' }, expect, ...more })
const procedure = (id: string, steps: readonly Step[], more: Partial<Procedure> = {}): Procedure => ({ id, title: `title of ${id} <&> # ]]>`, requirements: ['OA-001'], clause: 'a clause', profiles: ['3.1.1'], steps, ...more })
const actions: Record<string, Action> = { echo: async (args) => ({ ...args }), boom: async () => { throw new Error('boom \u0001') } }
const run = (list: readonly Procedure[], more: object = {}): Promise<Report> => runAll({ procedures: list, actions, target, seed: 7, startedAt: '2026-01-02T03:04:05.678Z', elapsed: () => performance.now(), nowMs: () => 1_700_000_000_000, nonce: 'n', ...more })

const one: Readonly<Record<Verdict, Procedure>> = {
  'PASSED': procedure('a.pass', [step({ v: 'w' })]),
  'FAILED': procedure('b.fail', [step({ v: 'x' })]),
  'ERROR': procedure('c.err', [{ say: 'it breaks', do: 'boom' }]),
  'WARNING': procedure('d.warn', [step({ v: 'x' }, { should: true })]),
  'PARTIAL': procedure('e.part', [step({ v: 'w' }), step({ v: 'x' }, { needs: 'elsewhere' })]),
  'NOT APPLICABLE': procedure('f.na', [step({ v: 'w' })], { needs: ['elsewhere'] }),
}

t.test('UX-035 what wants a third device is not asked of a target that has two, as long as it has given its devices certificates', async (t) => {
  const third = procedure('x', [step({ v: 'w' }, { with: { v: '${word}', as: 'device-3' } })])
  const verdict = async (identities: object): Promise<string> => { const { results: [result] } = await run([third], { target: { ...target, values: { word: 'w', identities } } }); return `${result?.verdict}: ${result?.detail}` }
  t.equal(await verdict({ 'device-1': {}, 'device-2': {} }), 'NOT APPLICABLE: the target does not declare: identity device-3')
  t.match(await verdict({ 'device-1': {}, 'device-3': {} }), /^PASSED/)
  t.match(await verdict({ default: {} }), /^PASSED/, 'a file without any is no way around')
})

t.test('UX-035 each verdict is given for its reason, with clause, exchange and expectation', async (t) => {
  const report = await run(Object.values(one))
  t.same(report.results.map((r) => r.verdict), Object.keys(one))
  t.match(report.results[1], { detail: /v: expected "x", got "w"/, clause: 'a clause', exchanges: [{ step: 'a step', sent: { v: 'w' }, got: { v: 'w' } }] })
  t.match(report.results[4]?.detail, /elsewhere/)
  t.same(report.summary, { 'PASSED': 1, 'FAILED': 1, 'ERROR': 1, 'WARNING': 1, 'PARTIAL': 1, 'NOT APPLICABLE': 1 })
  t.equal((await run(Object.values(one), { bail: true })).results.length, 2, 'bail ends at the first failure')
  t.match((await run([procedure('x', [{ say: 's', do: 'nothing.like.that' }])])).results[0], { verdict: 'ERROR', detail: /no driver/ })
  t.match((await run([procedure('x', [step({ v: 'x' }, { say: 'GET /${word}/${list[1].a}' })])])).results[0], { detail: /^GET \/w\/2: v: / }, 'in the words of this run')
  t.match((await run([procedure('x', [step({ v: 1 }, { with: { v: '${unknown}' } })])])).results[0], { verdict: 'ERROR', detail: /nothing is known as 'unknown'/ }, 'never a pass')
})

t.test('UX-035 a step may be tried again within its time; what is closed is closed at the end, whatever happens', async (t) => {
  let n = 0
  const closed: string[] = []
  const slow: Record<string, Action> = { ...actions, count: async (_args, context) => { context.onEnd(() => { closed.push('closed') }); n += 1; return { n } }, after: async () => { closed.push('after'); throw new Error('ignored') } }
  const report = await run([procedure('x', [{ say: 's', do: 'count', expect: { n: 3 }, within_ms: 2000 }], { after: [{ say: 'a', do: 'after' }] })], { actions: slow })
  t.equal(report.results[0]?.verdict, 'PASSED')
  t.same(closed, ['after', 'closed', 'closed', 'closed'])
})

t.test('UX-038 the same seed gives the same order; another seed another; 0 is the order of ids', async (t) => {
  const all = procedures.vtn
  const ids = (seed: number): string[] => select(all, { profile: '3.1.1', only: [], smoke: false, seed }).map((p) => p.id)
  t.same(ids(5), ids(5))
  t.notSame(ids(5), ids(6))
  t.same(ids(5).toSorted(), ids(0).toSorted())
  for (let i = 0; i < 20; i += 1) t.same((await run(Object.values(one))).results.map((r) => r.verdict), Object.keys(one), 'no flip')
})

t.test('UX-037 selection by id, prefix, requirement, tag, clause and profile; an unexpected pass fails too', async (t) => {
  const pick = (only: string[], smoke = false): string[] => select(Object.values(one), { profile: '3.1.1', only, smoke, seed: 0 }).map((p) => p.id)
  t.same(pick(['a.pass']), ['a.pass'])
  t.same(pick(['a.*', 'b.*']), ['a.pass', 'b.fail'])
  t.equal(pick(['OA-001']).length, 6)
  t.same(pick(['tag:none']), [])
  t.same(pick([], true), [], 'none of them is smoke')
  t.same(select(Object.values(one), { profile: '3.0.1', only: [], smoke: false, seed: 0 }), [])
  const { results } = await run(Object.values(one))
  const words = againstExpected(results, 'b.fail  # known\na.pass\n').filter((j) => j.unexpected).map((j) => [j.result.id, j.unexpected])
  t.same(words, [['a.pass', 'it passed though it is listed as an expected failure'], ['c.err', 'it failed']])
})

t.test('UX-036 JUnit XML keeps the rules of the schema that Jenkins publishes', async (t) => {
  const text = junit(await run(Object.values(one)))
  t.same(junitFaults(text), [])
  t.match(text, /failures="1" errors="1" skipped="1"/)
  t.notOk(text.includes('\u0001'), 'nothing that XML forbids')
  for (const [bad, why] of [['<a/>', 'root'], [text.replaceAll('tests="6"', 'tests="9"'), 'count'], [text.replace('<testcase name', '<case name').replace('</testcase>', '</case>'), 'element'], [text.replace(' name="a.pass', ' title="a.pass'), 'name'], [text.replace(/(<testsuite .*) errors="1"/, '$1'), 'errors of a suite'], [text.replace('<testcase ', '<testcase status="run" '), 'an attribute of another dialect']] as const) t.not(junitFaults(bad).length, 0, `${why} is seen`)
  await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary' }), async (word) => { t.same(junitFaults(junit(await run([procedure('p', [step({ v: word })], { title: word })]))), []) }), { numRuns: 30 })
})

t.test('UX-036 terminal, JSON, annotations, Markdown, HTML and TAP say the same sums', async (t) => {
  const report = await run(Object.values(one))
  t.match(terminal(report), /1 PASSED, 1 FAILED, 1 ERROR, 1 WARNING, 1 PARTIAL, 1 NOT APPLICABLE/)
  t.match(terminal(report), /b\.fail [\s\S]*→ \{"v":"w"\}\n\s+← \{"v":"w"\}/, 'what was sent and what came, at a failure')
  t.notMatch(terminal(await run([{ ...one.FAILED, after: [{ say: 'tidying', do: 'echo' }] }])), /tidying/, 'not that of the tidying')
  t.match(json(report), { target: target.url, profile: '3.1.1', seed: 7, summary: { PASSED: 1 }, results: [{ id: 'a.pass', clause: 'a clause', verdict: 'PASSED', detail: String }] })
  t.match((json(report) as { results: { verdict: string; exchanges?: object[] }[] }).results.map((r) => [r.verdict, r.exchanges?.length]), [['PASSED', undefined], ['FAILED', 1], ['ERROR', Number], ['WARNING', 1], ['PARTIAL', undefined], ['NOT APPLICABLE', undefined]], 'the exchange seen, where it was not as expected (UX-035)')
  t.equal(annotations(report).match(/^::error /gm)?.length, 2)
  t.equal(annotations(report).match(/^::warning /gm)?.length, 1)
  t.match(markdown(report), /\| FAILED \| b\.fail \|/)
  t.match(html(report), /<!doctype html>[\s\S]*b\.fail[\s\S]*&lt;&amp;&gt;/)
  const lines = tap(report)
  t.match(lines, /^TAP version 13\n1\.\.6\n/)
  t.equal(lines.match(/^not ok /gm)?.length, 2)
  t.equal(lines.match(/^ok .*# SKIP/gm)?.length, 1)
})

t.test('UX-041 the evidence holds every exchange and no secret', async (t) => {
  const report = await run([procedure('s', [{ say: 's', do: 'echo', with: { password: 'open sesame', text: 'Authorization: Bearer abc.def', deep: { apiKey: 'k', note: 'it is hidden-word' } } }])])
  const text = JSON.stringify(evidence(report, { versions: { node: '20' }, config: { bl_secret: '1001', list: [] }, secrets: ['hidden-word'] }))
  for (const word of ['open sesame', 'abc.def', 'hidden-word', '"1001"']) t.notOk(text.includes(word), word)
  const { log } = evidence(await run([one.PASSED, one.FAILED], { elapsed: (() => { let ms = 0; return () => (ms += 250) })() }), { versions: {}, config: {}, secrets: [] }) as { log: string[] }
  t.match(log[0], /^2026-01-02T03:04:0\d\.\d{3}Z a\.pass > \{"v":"w"\}$/)
  t.match(log[1], /Z a\.pass < /)
  t.same(log, log.toSorted((a, b) => (a.slice(0, 24) < b.slice(0, 24) ? -1 : a.slice(0, 24) > b.slice(0, 24) ? 1 : 0)), 'in order of time')
  t.same(withoutSecrets({ key: '-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----' }), { key: '[private key]' })
})

t.test('SEC-061 UX-041 no output of a run holds a secret: not by name, in a text, in a form, in a list', async (t) => {
  const values = { bl_secret: 'hush-hush', dispatchPasswords: ['pass-one', 'pass-two'], secrets: [{ secret: 'enrol-me', hwSerialNum: 'S1' }], station: 'CS001', CS003: 'pass-one' }
  t.same(secretsIn(values), ['hush-hush', 'pass-one', 'pass-two', 'enrol-me'])
  const sent = { form: { client_secret: '999' }, text: '{"access_token":"eyJ.a.b","token_type":"Bearer"}', deep: JSON.stringify({ text: '{"access_token":"eyJ.a.b"}' }), line: 'grant_type=x&client_secret=9-9-9&scope=a', passwords: ['short'], where: values, url: 'https://h/?password=pass-two' }
  const report = shown(await run([procedure('s', [step({ v: 'eyJ' }, { with: { v: 'has hush-hush in it', ...sent } })])]), secretsIn(values))
  for (const text of [html(report), junit(report), terminal(report), tap(report), markdown(report), annotations(report), JSON.stringify(evidence(report, { versions: {}, config: values, secrets: secretsIn(values) }))]) {
    for (const word of ['hush-hush', 'pass-one', 'pass-two', 'enrol-me', '"999"', '&quot;999', 'eyJ.a.b', '9-9-9', 'short']) t.notOk(text.includes(word), word)
  }
  t.match(html(report), /S1/, 'what is no secret stays')
  t.equal(withoutSecrets('Bearer realm="VTN", error="invalid_token"'), 'Bearer realm="VTN", error="invalid_token"', 'nor is a challenge one')
  t.equal(makeTarget('vtn', { file: { target: 'https://x.example', values: { ven_id: 'v', ven_secret: 's' } } }).values['ven_basic'], 'djpz', 'Basic need not be written down')
})

t.test('UX-035 paths and matchers', async (t) => {
  const value = { a: [{ b: 1 }, { b: 2 }], s: 'text', n: null }
  t.equal(at(value, 'a[1].b'), 2)
  t.same(at(value, 'a[*].b'), [1, 2])
  t.equal(at(value, 'a.length'), 2)
  t.equal(at(value, 'a[7].b.c'), undefined)
  t.equal(at(value, 'constructor'), undefined, 'nothing inherited')
  const good: [unknown, Matcher][] = [[1, 1], ['a', { oneOf: ['b', 'a'] }], ['abc', { matches: '^a' }], [undefined, { exists: false }], [3, { atLeast: 3 }], [3, { atMost: 3 }], [[1, 2], { contains: 2 }], ['abc', { lacks: 'x' }], [{ a: 1 }, { equals: { a: 1 } }], [[1, 1, 2], { sorted: 'asc' }], [[2, 1], { sorted: 'desc' }], [1, { not: 2 }], [[1, 2], { each: { atLeast: 1 } }], [['a', 'c'], { inOrderOf: ['a', 'b', 'c'] }], ['10', { near: 11, within: 1 }], [[1, 2], { unique: true }], [5, { all: [{ atLeast: 1 }, { atMost: 9 }] }]]
  for (const [v, wanted] of good) t.equal(mismatch(v, wanted), undefined, JSON.stringify(wanted))
  const bad: [unknown, Matcher][] = [[1, 2], ['1', 1], ['c', { oneOf: ['b'] }], [5, { matches: '5' }], [1, { exists: false }], [undefined, { exists: true }], [2, { atLeast: 3 }], ['9', { atMost: 10 }], [[1], { contains: 2 }], ['abc', { lacks: 'b' }], [[2, 1], { sorted: 'asc' }], [1, { not: 1 }], [[0], { each: { atLeast: 1 } }], [['c', 'a'], { inOrderOf: ['a', 'b', 'c'] }], [['z'], { inOrderOf: ['a'] }], [13, { near: 11, within: 1 }], [[1, 1], { unique: true }], ['no list', { each: 1 }]]
  for (const [v, wanted] of bad) t.type(mismatch(v, wanted), 'string', JSON.stringify(wanted))
})

t.test('UX-038 ${…} fills in values, moments and identifiers of the run', async (t) => {
  const variables = new Map<string, unknown>([['run', 'r'], ['x', { y: [1, 2] }], ['secrets', [{ s: 'one' }]]])
  t.same(fill({ a: '${x.y}', b: 'n${x.y[1]}', c: ['${secrets[0].s}'] }, variables), { a: [1, 2], b: 'n2', c: ['one'] })
  t.equal(fill('${now+60}', variables, 1_000_000), 1060)
  t.equal(fill('${iso-1}', variables, 1_000_000), '1970-01-01T00:16:39.000Z')
  t.equal(fill('${quarter}', variables, 1_000_000), 900)
  t.match(fill('${mrid:a}', variables), /^[0-9A-F]{32}$/)
  t.not(fill('${mrid:a}', variables), fill('${mrid:b}', variables))
  t.throws(() => fill('${nothing}', variables), /nothing is known/)
})

t.test('UX-035 every procedure is well formed: ids unique, actions known, requirements and clause named', async (t) => {
  const least: Record<string, number> = { vtn: 60, csip: 60, csms: 60, est: 15, ven: 15 }
  for (const [subject, list] of Object.entries(procedures)) {
    t.ok(list.length >= (least[subject] as number), `${subject}: ${list.length} procedures`)
    t.same(list.map((p) => p.id).filter((id, i, ids) => ids.indexOf(id) !== i), [], `${subject}: ids are unique`)
    for (const p of list) {
      const unknown = [...p.steps, ...(p.after ?? [])].map((s) => s.do).filter((action) => !(action in drivers))
      const wrong = [...(unknown.length ? [`actions ${unknown.join(', ')}`] : []), ...(p.requirements.every((r) => /^(OA|SEP|OCPP)-\d{3}$/.test(r)) && p.requirements.length ? [] : ['requirements']), ...(p.clause ? [] : ['clause']), ...(p.profiles.length ? [] : ['profiles']), ...(p.steps.length ? [] : ['steps'])]
      if (wrong.length) t.fail(`${p.id}: ${wrong.join('; ')}`)
    }
    t.ok(list.some((p) => p.smoke), `${subject} has a smoke set`)
  }
})

t.test('UX-037 retries are told as flaky, never as a plain pass; what stays wrong stays failed', async (t) => {
  let n = 0
  const shaky: Record<string, Action> = { ...actions, count: async () => { n += 1; return { n } } }
  const third = procedure('x', [{ say: 's', do: 'count', expect: { n: { atLeast: 3 } } }])
  t.equal((await run([third], { actions: shaky })).results[0]?.verdict, 'FAILED', 'off by default')
  n = 0
  const [result] = (await run([third], { actions: shaky, retries: 2 })).results
  t.match(result, { verdict: 'WARNING', flaky: true, detail: /^flaky: PASSED at attempt 3; before: s: n: expected at least 3, got 1/ })
  t.equal((await run([one.FAILED], { retries: 3 })).results[0]?.verdict, 'FAILED')
})

t.test('UX-038, UX-039 lanes: several at once, and the report keeps the order of the list', async (t) => {
  let at_once = 0, most = 0
  const slow: Record<string, Action> = { ...actions, wait: async (args) => { most = Math.max(most, ++at_once); await new Promise((wake) => setTimeout(wake, Number(args.ms))); at_once -= 1; return {} } }
  const list = [30, 5, 20, 1, 10].map((ms, i) => procedure(`p${i}`, [{ say: 's', do: 'wait', with: { ms } }]))
  t.same((await run(list, { actions: slow, lanes: 3 })).results.map((r) => r.id), list.map((p) => p.id))
  t.equal(most, 3)
  t.same((await run(Object.values(one), { lanes: 4, bail: true })).results.length, 2, 'bail goes one by one')
})

t.test('UX-036 a statement is signed, says who signed, and shows every change', async (t) => {
  const report = await run(Object.values(one)), key = statementKey(join(t.testdir({}), 'key.pem'))
  const statement = statementOf(report, Object.values(one), { loadstone: '0' })
  const text = JSON.stringify(await signStatement(statement, key))
  const read = await readStatement(text)
  t.match(read.statement, { target: target.url, profile: '3.1.1', summary: { PASSED: 1, FAILED: 1 }, results: [{ id: 'a.pass', verdict: 'PASSED' }, { id: 'b.fail', verdict: 'FAILED' }] })
  t.match(read.signer, /^[\w-]{43}$/)
  const forged = { ...JSON.parse(text), payload: Buffer.from(JSON.stringify({ ...statement, summary: { ...statement.summary, FAILED: 0 } })).toString('base64url') }
  await t.rejects(readStatement(JSON.stringify(forged)), 'another content')
  const pem = (k: KeyObject): string => createPublicKey(k).export({ type: 'spki', format: 'pem' }) as string
  t.equal((await readStatement(text, pem(key))).signer, read.signer)
  await t.rejects(readStatement(text, pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)), /another key/)
  t.not(statementOf(report, [], {}).procedures, statement.procedures, 'what was asked is part of it')
})

t.test('SEP-024 --xsd holds every document to the user’s own schema, with what is beside it', async (t) => {
  const dir = t.testdir({
    'sep.xsd': '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x" targetNamespace="urn:x" elementFormDefault="qualified"><xs:include schemaLocation="part.xsd"/><xs:element name="Time" type="Time"/></xs:schema>',
    'part.xsd': '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x" targetNamespace="urn:x" elementFormDefault="qualified"><xs:complexType name="Time"><xs:sequence><xs:element name="currentTime" type="xs:long"/><xs:element name="quality" type="xs:int"/></xs:sequence></xs:complexType></xs:schema>',
  })
  const check = await schemaCheck(join(dir, 'sep.xsd'))
  t.equal(check.namespace, 'urn:x')
  t.same(check.faults('<Time xmlns="urn:x"><currentTime>1</currentTime><quality>3</quality></Time>'), [])
  t.match(check.faults('<Time xmlns="urn:x"><quality>3</quality><currentTime>1</currentTime></Time>')[0], /quality/)
  t.match(check.faults('<Time xmlns="urn:x">')[0], /./, 'what is no XML')
  await t.rejects(schemaCheck(join(dir, 'none.xsd')), /cannot be read/)
  const faulty: Record<string, Action> = { echo: async () => ({ status: 200, schemaFaults: ['line 1: wrong'] }) }
  t.match((await run([procedure('x', [step({ status: 200 })])], { actions: faulty })).results[0], { verdict: 'FAILED', detail: /schema: line 1: wrong/ })
})

t.test('UX-041 a set of planted faults, each with a procedure that is there and of its profile', async (t) => {
  const faults = [...planted, ...plantedVens]
  t.ok(faults.length >= 40, `${faults.length} faults`)
  t.same(faults.filter((f) => !procedures[f.subject].some((p) => p.id === f.caughtBy && p.profiles.includes(f.profile))).map((f) => f.name), [])
  t.same(faults.map((f) => `${f.subject} ${f.name}`).filter((n, i, all) => all.indexOf(n) !== i), [], 'each is planted once')
})

t.test('UX-041 a planted fault may be a connection that should have been refused', async (t) => {
  const refused = procedure('x', [{ say: 's', do: 'http.request', with: { url: 'http://127.0.0.1:1/' }, expect: { status: 0 } }])
  t.equal((await run([refused], { actions: drivers })).results[0]?.verdict, 'PASSED')
  t.match((await run([refused], { actions: drivers, tamper: { http: () => ({ status: 200 }) } })).results[0], { verdict: 'FAILED', detail: /status: expected 0, got 200/ })
})

t.test('SEP-060 the LFDI of a certificate in the target’s file need not be written down', async (t) => {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const der = await signCertificate({ serial: '10', notBeforeMs: 0, notAfterMs: Date.UTC(2030, 0, 1), publicKey: spkiOf(key), extensions: [] }, keySigner(key))
  const made = makeTarget('csip', { file: { target: 'https://x.example', identities: { 'device-1': { cert: certificatePem(der) }, 'none': {} } } })
  t.equal(made.values['lfdi1'], lfdiOf(der))
  t.equal(made.values['dcap'], '/dcap')
  t.equal(makeTarget('csip', { file: { target: 'https://x.example', profile: 'csip-aus-1.3' } }).values['ausNs'], 'https://csipaus.org/ns/v1.3')
})

t.test('UX-039 what procedures must wait for by themselves leaves time: a third of five minutes for a set, of thirty seconds for the short one', async (t) => {
  const waits = (p: Procedure): number => p.steps.reduce((sum, { do: action, with: args = {} }) => sum + (action === 'wait' || action === 'socket.idle' ? Number(args['ms']) : Number(args['after_ms'] ?? 0)), 0)
  for (const [subject, list] of Object.entries(procedures)) {
    for (const profile of new Set(list.flatMap((p) => p.profiles))) {
      const whole = list.filter((p) => p.profiles.includes(profile)), sum = (some: readonly Procedure[]): number => some.reduce((ms, p) => ms + waits(p), 0)
      t.ok(sum(whole) <= 100_000, `${subject} ${profile}: ${sum(whole)} ms`)
      t.ok(sum(whole.filter((p) => p.smoke)) <= 10_000, `${subject} ${profile}, short: ${sum(whole.filter((p) => p.smoke))} ms`)
    }
  }
})
