import t from 'tap'
import { certificatePem, createRoot, issueClient, keySigner, newEcKey, readCertificate, serialFrom, spkiOf, certificateHash, type Authority } from '#certs/index.js'
import { event, handBench, iso, known, sent, T, tells, token, willing } from './fixture-words.js'
import { contractCheck } from './contract-certificate.js'
import { merged } from './local-list.js'
import type { Ocsp } from './ocsp.js'
import { tokens as makeTokens } from './tokens.js'
import { handClock } from '#core/port/clock.js'

t.setTimeout(120_000)
interface Info { idTokenInfo: Record<string, unknown>; certificateStatus?: string; allowedEnergyTransfer?: string[] }

t.test('OCPP-112, 114, 264 what a token is told: languages, message, priority, expiry, a strict subset of EVSEs, and what its car may ask for', async (t) => {
  const { b } = await handBench(t)
  await b.csms.tokens.put('test', [
    { idToken: 'RICH', type: 'ISO14443', status: 'Accepted', language1: 'de', language2: 'en', chargingPriority: 3, expires: iso(T + 1e6), personalMessage: { format: 'UTF8', content: 'hello' }, evses: { CS001: [1] }, allowedEnergyTransfer: ['DC'] },
    { idToken: 'AWAY', type: 'ISO14443', status: 'Accepted', evses: { ELSEWHERE: [1] } },
    { idToken: '1234', type: 'KeyCode', status: 'Accepted' },
  ])
  const s = await willing(b, 'CS001')
  for (const evseId of [1, 2]) await s.call('StatusNotification', { timestamp: iso(T), connectorStatus: 'Available', evseId, connectorId: 1 })
  const ask = async (id: string, type?: string): Promise<Info> => (await s.call('Authorize', { idToken: token(id, type) }))[2] as Info
  t.same((await ask('RICH')).idTokenInfo, { status: 'Accepted', cacheExpiryDateTime: iso(T + 1e6), chargingPriority: 3, language1: 'de', language2: 'en', personalMessage: { format: 'UTF8', content: 'hello' }, evseId: [1] })
  t.same((await ask('DEADBEEF')).idTokenInfo, { status: 'Accepted' }, 'all EVSEs: no list')
  t.same((await ask('AWAY')).idTokenInfo, { status: 'NotAtThisLocation' })
  t.same([(await ask('9999', 'KeyCode')).idTokenInfo, (await ask('1234', 'KeyCode')).idTokenInfo], [{ status: 'Invalid' }, { status: 'Accepted' }])
  const [, , free] = await s.call('TransactionEvent', event('Started', 0, T, { evse: { id: 1 }, idToken: token('', 'NoAuthorization') }))
  t.match(free, { idTokenInfo: { status: 'Accepted' } })
  t.equal((await ask('RICH')).allowedEnergyTransfer, undefined, '2.0.1 has no such field')
  await s.close()
  const newer = await willing(b, 'CS002', {}, { protocols: ['ocpp2.1'] })
  await b.csms.tokens.put('test', [{ idToken: 'V2X', type: 'ISO14443', status: 'Accepted', allowedEnergyTransfer: ['DC_BPT'], transactionLimit: { maxEnergy: 20_000 } }])
  t.same((await newer.call('Authorize', { idToken: token('V2X') }))[2], { idTokenInfo: { status: 'Accepted' }, allowedEnergyTransfer: ['DC_BPT'] })
  t.same(((await newer.call('Authorize', { idToken: token('DEADBEEF') }))[2]), { idTokenInfo: { status: 'Accepted' } }, 'only when known')
  await newer.call('TransactionEvent', event('Started', 0, T, { evse: { id: 1 }, idToken: token('V2X') }))
  const needs = (requestedEnergyTransfer: string): object => ({ evseId: 1, chargingNeeds: { requestedEnergyTransfer, dcChargingParameters: { evMaxCurrent: 100, evMaxVoltage: 400 } } })
  t.match((await newer.call('NotifyEVChargingNeeds', needs('DC')))[2], { status: 'Rejected' })
  t.match((await newer.call('NotifyEVChargingNeeds', needs('DC_BPT')))[2], { status: 'Accepted' })
  await newer.close()
})

t.test('OCPP-116 the master pass is Accepted with its group and starts nothing', async (t) => {
  const { b } = await handBench(t)
  await b.csms.tokens.put('test', [{ idToken: 'POLICE', type: 'ISO14443', status: 'Accepted', group: 'MASTER' }])
  const s = await willing(b, 'CS001')
  await tells(s, { 'AuthCtrlr.MasterPassGroupId': 'Master' })
  t.match((await s.call('Authorize', { idToken: token('POLICE') }))[2], { idTokenInfo: { status: 'Accepted', groupIdToken: { idToken: 'MASTER' } } })
  const start = (idToken: object, more: object = {}): Promise<unknown> => b.csms.command('CS001', 'RequestStartTransaction', { remoteStartId: 1, evseId: 1, idToken, ...more })
  t.match(await start(token('POLICE')), { kind: 'refused', checks: [{ check: 'OCPP-116' }] }, 'known by its group')
  t.match(await start(token('DEADBEEF'), { groupIdToken: token('MASTER', 'Central') }), { kind: 'refused', checks: [{ check: 'OCPP-116' }] })
  t.match(await start(token('DEADBEEF')), { kind: 'answered' })
  await s.close()
})

/** A mobility operator with its root, one contract, and a responder that signs. */
async function mobility(): Promise<{ root: Authority; leaf: (days: number) => Promise<Buffer> }> {
  let n = 0
  const serial = (): string => serialFrom((n += 1).toString(16).padStart(32, '0')), validity = (days: number): { fromMs: number; toMs: number } => ({ fromMs: T - 40 * 86_400_000, toMs: T + days * 86_400_000 })
  const root = await createRoot({ serial: serial(), subject: [{ CN: ['MO Root'] }], validity: validity(400) }, keySigner(newEcKey()))
  return { root, leaf: async (days) => issueClient(root, { serial: serial(), publicKey: spkiOf(newEcKey()), commonName: 'DE8AA1A2B3C4D5', organization: 'MO', validity: validity(days) }) }
}

t.test('OCPP-117 Plug & Charge: chain, time and revocation decide with the token what the car hears', async (t) => {
  const { b } = await handBench(t)
  const mo = await mobility(), good = await mo.leaf(300), old = await mo.leaf(-1), stranger = await (await mobility()).leaf(300)
  let revoked = false
  const ocsp: Ocsp = { ask: async () => ({ der: Buffer.alloc(0), answer: { status: revoked ? 'revoked' : 'good', thisUpdateMs: T, nextUpdateMs: undefined, signedBy: () => true } }) }
  const check = contractCheck({ ocsp, roots: [certificatePem(mo.root.certificate)], nowMs: () => T })
  const hashes = [{ ...certificateHash(readCertificate(good), readCertificate(mo.root.certificate)), responderURL: 'http://ocsp.example' }]
  t.equal(await check({ certificate: certificatePem(good), iso15118CertificateHashData: hashes }), 'Accepted')
  t.equal(await check({ certificate: certificatePem(old) }), 'CertificateExpired')
  t.equal(await check({ certificate: certificatePem(stranger) }), 'CertChainError')
  t.equal(await check({ certificate: 'garbage' }), 'CertChainError')
  revoked = true
  t.equal(await check({ iso15118CertificateHashData: hashes }), 'CertificateRevoked')
  const silent = contractCheck({ ocsp: { ask: async () => undefined }, roots: [certificatePem(mo.root.certificate)], nowMs: () => T })
  t.equal(await silent({ iso15118CertificateHashData: hashes }), 'CertChainError', 'unverifiable')
  const s = await willing(b, 'CS001')
  t.match((await s.call('Authorize', { idToken: token('DEADBEEF', 'eMAID'), certificate: certificatePem(stranger) }))[2], { certificateStatus: 'CertChainError', idTokenInfo: { status: 'Invalid' } })
  await s.close()
  const trusting = await handBench(t, { config: { mobilityRoots: [certificatePem(mo.root.certificate)] } })
  await trusting.b.csms.tokens.put('test', [{ idToken: 'CAR', type: 'eMAID', status: 'Accepted' }, { idToken: 'LATE', type: 'eMAID', status: 'NotAtThisTime' }])
  const s2 = await willing(trusting.b, 'CS001')
  const ask = async (id: string, der: Buffer): Promise<unknown> => { const { idTokenInfo, certificateStatus } = (await s2.call('Authorize', { idToken: token(id, 'eMAID'), certificate: certificatePem(der) }))[2] as Info; return [certificateStatus, idTokenInfo['status']] }
  t.same(await ask('CAR', good), ['Accepted', 'Accepted'])
  t.same(await ask('NOBODY', good), ['ContractCancelled', 'Unknown'])
  t.same(await ask('LATE', good), ['Accepted', 'NotAtThisTime'])
  t.same(await ask('CAR', old), ['CertificateExpired', 'Expired'])
  await s2.close()
})

t.test('OCPP-118 a silent back end: refused or let in after two seconds, and flagged', async (t) => {
  for (const [fails, status] of [['closed', 'Invalid'], ['open', 'Accepted']] as const) {
    const clock = handClock(T), silent: string[] = []
    const tokens = makeTokens({
      documents: { revision: () => 0, list: () => new Promise(() => {}) } as never, clock, config: { authorizationFails: fails, masterGroup: undefined }, elsewhere: async () => false, silent: (_tenant, station) => silent.push(station),
    })
    const answer = tokens.info('test', 'CS001', { idToken: 'X', type: 'ISO14443' }, 1, [1])
    await clock.advance(2000)
    t.same(await answer, { status })
    t.same(silent, ['CS001'])
  }
})

t.test('OCPP-119 ClearCache: its answer is handed on, and it follows a change of many tokens where the station has a cache', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001'), other = await willing(b, 'CS002')
  await tells(s, { 'AuthCacheCtrlr.Enabled': 'true' })
  s.replies['ClearCache'] = { status: 'Rejected' }
  t.match(await b.csms.command('CS001', 'ClearCache', {}), { kind: 'answered', payload: { status: 'Rejected' } })
  await b.csms.tokens.put('test', [{ idToken: 'one', type: 'Local', status: 'Blocked' }])
  await b.csms.tokens.put('test', Array.from({ length: 30 }, (_, i) => ({ idToken: `n${i}`, type: 'Local', status: 'Blocked' })))
  await s.until(() => sent(s, 'ClearCache').length === 2)
  t.equal(sent(other, 'ClearCache').length, 0)
  await s.close()
  await other.close()
})

const entry = (id: string, status: string | null = 'Accepted'): object => ({ idToken: token(id), ...(status === null ? {} : { idTokenInfo: { status } }) })

t.test('OCPP-120 a local list goes in the pieces that the station takes: Full, then Differential, versions rising', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  await tells(s, { 'LocalAuthListCtrlr.ItemsPerMessage': '2' })
  const list = (versionNumber: number, updateType: string, entries: object[]): Promise<unknown> => b.csms.command('CS001', 'SendLocalList', { versionNumber, updateType, ...(entries.length > 0 ? { localAuthorizationList: entries } : {}) })
  t.match(await list(5, 'Full', ['a', 'b', 'c', 'd', 'e'].map((id) => entry(id))), { kind: 'answered', payload: { status: 'Accepted' } })
  t.same(sent(s, 'SendLocalList').map((p) => [p['versionNumber'], p['updateType'], (p['localAuthorizationList'] as object[]).length]), [[5, 'Full', 2], [6, 'Differential', 2], [7, 'Differential', 1]])
  t.match(await list(7, 'Differential', [entry('f')]), { kind: 'refused', checks: [{ check: 'OCPP-120' }] }, 'versions rise')
  t.match(await list(8, 'Full', [entry('x'), entry('X')]), { kind: 'refused', checks: [{ check: 'D01.FR.10' }] }, 'entries are unique, whatever their case')
  await list(8, 'Differential', [entry('a', null), entry('g')])
  const { localLists } = b.csms.command
  t.same((await localLists.held(await known(b, 'CS001'))).entries.map((e) => e.idToken.idToken), ['b', 'c', 'd', 'e', 'g'], 'an entry without idTokenInfo deletes')
  await list(9, 'Full', [])
  t.same(await localLists.held(await known(b, 'CS001')), { version: 9, entries: [] })
  t.same(merged([], 'Differential', [{ idToken: { idToken: 'A', type: 'x' } }]), [])
  await s.close()
})

t.test('OCPP-121, 223 a Differential that failed is followed by a Full one; a forgotten customer leaves the list', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001', { GetLocalListVersion: { versionNumber: 3 } })
  await b.csms.command('CS001', 'SendLocalList', { versionNumber: 1, updateType: 'Full', localAuthorizationList: [entry('a')] })
  s.replies['SendLocalList'] = (p) => ({ status: p['updateType'] === 'Full' ? 'Accepted' : 'VersionMismatch' })
  t.match(await b.csms.command('CS001', 'SendLocalList', { versionNumber: 2, updateType: 'Differential', localAuthorizationList: [entry('b')] }), { payload: { status: 'VersionMismatch' } })
  await s.until(() => sent(s, 'SendLocalList').length === 3)
  t.match(sent(s, 'SendLocalList')[2], { versionNumber: 4, updateType: 'Full', localAuthorizationList: [{ idToken: { idToken: 'a' } }, { idToken: { idToken: 'b' } }] })
  t.equal(sent(s, 'GetLocalListVersion').length, 1, 'versions are compared before sending')
  const { localLists } = b.csms.command, station = await known(b, 'CS001')
  while ((await localLists.held(station)).version !== 4) await new Promise((turn) => setImmediate(turn))
  s.replies['SendLocalList'] = { status: 'Accepted' }
  await b.csms.command('CS001', 'CustomerInformation', { requestId: 1, report: false, clear: true, idToken: token('A') })
  await s.until(() => sent(s, 'SendLocalList').length === 4)
  t.match(sent(s, 'SendLocalList')[3], { versionNumber: 5, updateType: 'Differential', localAuthorizationList: [{ idToken: { idToken: 'A' } }] })
  await s.close()
})
