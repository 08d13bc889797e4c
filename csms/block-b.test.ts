import t from 'tap'
import { handBench, iso, known, orderTo, sent, T, tells, willing } from './fixture-words.js'
import { freeSlot } from './network-walk.js'
import { configurationFor } from './post-boot.js'

t.setTimeout(120_000)
const variable = (component: string, name: string, attributeValue?: string): object => ({ component: { name: component }, variable: { name }, ...(attributeValue === undefined ? {} : { attributeValue }) })

t.test('OCPP-081, 063 an Accepted boot keeps the hardware, its modem and its customData', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001', {}, { boot: false })
  const [, , answer] = await s.call('BootNotification', { reason: 'PowerUp', customData: { vendorId: 'x', more: 1 }, chargingStation: { model: 'M', vendorName: 'V', serialNumber: 'S1', firmwareVersion: '2', modem: { iccid: 'I', imsi: 'J' }, customData: { vendorId: 'y' } } })
  t.same(answer, { currentTime: iso(T), interval: 300, status: 'Accepted' })
  t.same((await known(b, 'CS001')).record.boot, { at: iso(T), reason: 'PowerUp', vendorName: 'V', model: 'M', version: '2.0.1', serialNumber: 'S1', firmwareVersion: '2', modem: { iccid: 'I', imsi: 'J' }, customData: { vendorId: 'x', more: 1 } })
  await s.close()
  const old = await willing(b, 'CS002', {}, { protocols: ['ocpp1.6'], boot: false })
  await old.call('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M', iccid: 'I' })
  t.match((await known(b, 'CS002')).record.boot, { modem: { iccid: 'I' }, version: '1.6' })
  await old.close()
})

t.test('OCPP-087 unknown hardware: refused, held until an operator approves, or let in', async (t) => {
  for (const [admission, status] of [['registered', 401], ['quarantine', 'Pending'], ['open', 'Accepted']] as const) {
    const { b } = await handBench(t, { config: { admission } })
    if (admission === 'registered') {
      await t.rejects(willing(b, 'NEW1'), /401/)
      continue
    }
    const s = await willing(b, 'NEW1', {}, { boot: false })
    t.match((await s.call('BootNotification', { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V' } }))[2], { status }, admission)
    await s.close()
  }
})

t.test('OCPP-090, 091, 093, 176 after the first boot: the device model, our configuration where it fits, the monitors; a refused report is not asked again', async (t) => {
  const { b } = await handBench(t, { config: { postBootReport: true } })
  const s = await willing(b, 'CS001', { GetBaseReport: { status: 'NotSupported' }, GetMonitoringReport: { status: 'EmptyResultSet' }, SetVariables: (p) => ({ setVariableResult: (p['setVariableData'] as object[]).map((d) => ({ ...d, attributeValue: undefined, attributeStatus: 'Accepted' })) }) }, { boot: false })
  const values: Record<string, string> = { 'SampledDataCtrlr.TxUpdatedInterval': '900', 'AlignedDataCtrlr.Interval': '900', 'MonitoringCtrlr.Enabled': 'true', 'DeviceDataCtrlr.ItemsPerMessage[SetVariables]': '5' }
  s.replies['GetVariables'] = (p) => ({ getVariableResult: (p['getVariableData'] as { component: object; variable: object }[]).map((d) => ({ ...d, attributeStatus: 'UnknownVariable' })) })
  s.replies['GetBaseReport'] = (p) => {
    t.equal(p['reportBase'], 'FullInventory')
    setImmediate(() => void s.call('NotifyReport', { requestId: p['requestId'], generatedAt: iso(T), seqNo: 0, tbc: false, reportData: [
      ...Object.entries(values).map(([name, value]) => { const [, c, v, i] = /^(\w+)\.(\w+)(?:\[(.*)\])?$/.exec(name) as unknown as string[]; return { component: { name: c }, variable: { name: v, ...(i ? { instance: i } : {}) }, variableAttribute: [{ value }] } }),
      { component: { name: 'SampledDataCtrlr' }, variable: { name: 'TxUpdatedMeasurands' }, variableAttribute: [{ value: '' }], variableCharacteristics: { dataType: 'MemberList', supportsMonitoring: false, valuesList: 'Energy.Active.Import.Register,Voltage,SoC' } },
    ] }))
    return { status: 'Accepted' }
  }
  await s.boot()
  await s.until(() => sent(s, 'GetMonitoringReport').length === 1)
  t.same(sent(s, 'SetVariables').flatMap((p) => (p['setVariableData'] as { variable: { name: string }; attributeValue: string }[]).map((d) => [d.variable.name, d.attributeValue])),
    [['TxUpdatedInterval', '60'], ['TxUpdatedMeasurands', 'Energy.Active.Import.Register,Voltage,SoC']], 'what it already has is not set, what it does not know is not asked')
  await s.boot()
  await s.call('Heartbeat', {})
  t.equal(sent(s, 'GetBaseReport').length, 1, 'the same hardware is not asked again')
  await tells(s, { 'DeviceDataCtrlr.ItemsPerMessage[GetReport]': '1' })
  t.match(await b.csms.command('CS001', 'GetReport', { requestId: 1, componentVariable: [variable('A', 'B'), variable('C', 'D')] }), { kind: 'refused', checks: [{ check: 'B08.FR.07' }] })
  s.replies['GetReport'] = { status: 'EmptyResultSet' }
  t.match(await b.csms.command('CS001', 'GetReport', { requestId: 1, componentCriteria: ['Active', 'Available', 'Enabled', 'Problem'] }), { kind: 'answered', payload: { status: 'EmptyResultSet' } })
  for (const [reportBase, status] of [['ConfigurationInventory', 'Accepted'], ['SummaryInventory', 'Rejected']] as const) {
    s.replies['GetBaseReport'] = { status }
    t.match(await b.csms.command('CS001', 'GetBaseReport', { requestId: 2, reportBase }), { kind: 'answered', payload: { status } })
  }
  await s.close()
  const silent = await willing(b, 'CS002', { GetBaseReport: { status: 'Rejected' }, GetVariables: s.replies['GetVariables'] as never })
  await silent.until(() => sent(silent, 'GetVariables').length === 12)
  t.equal(sent(silent, 'GetBaseReport').length, 1)
  await silent.close()
  t.same(configurationFor(await known(b, 'CS002'), {}), [])
})

t.test('OCPP-095, 096 values are text, checked against what the station said of them; RebootRequired is shown; write-only values never', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  const tell = (name: string, variableCharacteristics: object, mutability = 'ReadWrite'): Promise<unknown> => s.call('NotifyReport', { requestId: 1, generatedAt: iso(T), seqNo: 0, reportData: [{ component: { name: 'C' }, variable: { name }, variableAttribute: [{ mutability }], variableCharacteristics: { supportsMonitoring: false, ...variableCharacteristics } }] })
  await tell('int', { dataType: 'integer', minLimit: 1, maxLimit: 10 })
  await tell('list', { dataType: 'OptionList', valuesList: 'a,b' })
  await tell('many', { dataType: 'MemberList', valuesList: 'a,b' })
  await tell('text', { dataType: 'string', maxLimit: 3 })
  await tell('bool', { dataType: 'boolean' })
  await tell('fixed', { dataType: 'string' }, 'ReadOnly')
  await tell('secret', { dataType: 'string' }, 'WriteOnly')
  s.replies['SetVariables'] = (p) => ({ setVariableResult: (p['setVariableData'] as { component: object; variable: object }[]).map(({ component, variable: v }) => ({ component, variable: v, attributeStatus: 'RebootRequired' })) })
  const set = async (name: string, value: string): Promise<string> => { const r = await b.csms.command('CS001', 'SetVariables', { setVariableData: [variable('C', name, value)] }); return r.kind === 'refused' ? r.checks.map((c) => c.check).join() : r.kind }
  for (const [name, bad, good] of [['int', '11', '10'], ['int', '1.5', '1'], ['int', '', '2'], ['list', 'c', 'a'], ['many', 'a,c', 'b,a'], ['text', 'abcd', 'abc'], ['bool', 'yes', 'true']] as const) t.same([await set(name, bad), await set(name, good)], ['OCPP-096', 'answered'], `${name} ${bad} ${good}`)
  t.equal(await set('fixed', 'x'), 'OCPP-096')
  t.equal(await set('secret', 'hush'), 'answered')
  t.match(await b.csms.command('CS001', 'SetVariables', { setVariableData: [variable('C', 'x', '1'), variable('c', 'X', '2')] }), { kind: 'refused', checks: [{ check: 'B05.FR.13' }] })
  t.ok((await known(b, 'CS001')).record.flags.some((f) => /C\.int needs a Reset/.test(f.flag)))
  t.match(await b.csms.command('CS001', 'SetVariables', { setVariableData: [{ ...variable('C', 'x'), attributeValue: 5 }] }), { kind: 'refused', checks: [{ check: 'TypeConstraintViolation' }] })
  await s.close()
})

t.test('OCPP-041, 097, 098, 267 the walk to a higher profile or another CSMS: a free slot, put first, reset when idle', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001', { SetVariables: { setVariableResult: [{ attributeStatus: 'RebootRequired', component: { name: 'OCPPCommCtrlr' }, variable: { name: 'NetworkConfigurationPriority' } }] } })
  await t.rejects(b.csms.walk('test', 'CS001', { ocppCsmsUrl: 'wss://here/ocpp', securityProfile: 2 }), /no free slot/)
  await tells(s, { 'OCPPCommCtrlr.NetworkConfigurationPriority': '0,1' }, { variableCharacteristics: { dataType: 'SequenceList', supportsMonitoring: false, valuesList: '0,1,2' } })
  t.same(freeSlot(await known(b, 'CS001')), { slot: 2, priority: ['2', '0', '1'] })
  const walked = await b.csms.walk('test', 'CS001', { ocppCsmsUrl: 'wss://here/ocpp', securityProfile: 3 })
  t.same(walked, { done: true, steps: [{ action: 'SetNetworkProfile', status: 'Accepted' }, { action: 'SetVariables', status: 'RebootRequired' }, { action: 'Reset', status: 'Accepted' }] })
  t.match(sent(s, 'SetNetworkProfile'), [{ configurationSlot: 2, connectionData: { ocppVersion: 'OCPP20', ocppTransport: 'JSON', securityProfile: 3, ocppCsmsUrl: 'wss://here/ocpp' } }])
  t.match(sent(s, 'SetVariables'), [{ setVariableData: [{ attributeValue: '2,0,1' }] }])
  t.match(sent(s, 'Reset'), [{ type: 'OnIdle' }])
  const { record } = await known(b, 'CS001')
  t.equal(record.upgradingTo, 3)
  await b.csms.walk('test', 'CS001', { ocppCsmsUrl: 'wss://elsewhere/ocpp', securityProfile: 3, migrate: true })
  t.match(record, { migrating: { to: 'wss://elsewhere/ocpp', at: iso(T) }, upgradingTo: undefined })
  s.replies['SetNetworkProfile'] = { status: 'Failed' }
  t.match(await b.csms.walk('test', 'CS001', { ocppCsmsUrl: 'wss://x/ocpp', securityProfile: 3 }), { done: false, steps: [{ status: 'Failed' }] })
  t.match(await b.csms.command('CS001', 'SetNetworkProfile', { configurationSlot: 1, connectionData: { ocppVersion: 'OCPP20', ocppInterface: 'Wired0', ocppTransport: 'JSON', messageTimeout: 30, securityProfile: 3, ocppCsmsUrl: 'wss://x/ocpp/CS001' } }), { kind: 'refused', checks: [{ check: 'OCPP-097' }] })
  await s.close()
  const newer = await willing(b, 'CS002', {}, { protocols: ['ocpp2.1'] })
  await tells(newer, { 'OCPPCommCtrlr.ActiveNetworkProfile': '1', 'SmartChargingCtrlr.MaxExternalConstraintsId': '1000010' })
  t.match(await b.csms.command('CS002', 'SetNetworkProfile', { configurationSlot: 1, connectionData: { ocppInterface: 'Any', ocppTransport: 'JSON', messageTimeout: 30, securityProfile: 2, ocppCsmsUrl: 'wss://x/ocpp' } }), { kind: 'refused', checks: [{ check: 'B09.FR.21' }] })
  await b.csms.channel.send([orderTo('CS002', 1, 5000)])
  await newer.until(() => sent(newer, 'SetChargingProfile').length === 1)
  t.match(sent(newer, 'SetChargingProfile')[0], { chargingProfile: { id: 1_000_011 } }, 'above MaxExternalConstraintsId')
  await newer.close()
})

t.test('OCPP-099, 100 Reset: the boot that follows is compared with it; not while an event runs unless forced', async (t) => {
  const { b, clock } = await handBench(t)
  const s = await willing(b, 'CS001')
  const reset = (payload: object, force = false): Promise<unknown> => b.csms.command('CS001', 'Reset', payload, 'test', { force })
  s.replies['Reset'] = { status: 'Scheduled' }
  await reset({ type: 'OnIdle' })
  const { record } = await known(b, 'CS001')
  t.match(record.reset, { type: 'OnIdle', status: 'Scheduled', boot: undefined })
  await s.call('BootNotification', { reason: 'ScheduledReset', chargingStation: { model: 'M', vendorName: 'V' } })
  t.match(record.reset, { boot: 'ScheduledReset' })
  s.replies['Reset'] = { status: 'Rejected' }
  await reset({ type: 'Immediate', evseId: 1 })
  t.match(record.reset, { status: 'Rejected', evseId: 1 })
  s.replies['Reset'] = { status: 'Accepted' }
  await s.call('StatusNotification', { timestamp: iso(T), connectorStatus: 'Available', evseId: 1, connectorId: 1 })
  await b.csms.channel.send([orderTo('CS001', 1, 5000)])
  await s.until(() => b.happenings.some((h) => h.state === 'accepted'))
  t.match(await reset({ type: 'OnIdle' }), { kind: 'answered' }, 'before the event')
  await clock.set(T + 700_000)
  t.match(await reset({ type: 'OnIdle' }), { kind: 'refused', checks: [{ check: 'OCPP-100' }] })
  t.match(await reset({ type: 'OnIdle' }, true), { kind: 'answered' })
  await s.close()
})

t.test('OCPP-280 components, variables and types that nobody knows are stored and shown; names compare without case', async (t) => {
  const { b } = await handBench(t)
  const s = await willing(b, 'CS001')
  await s.call('NotifyReport', { requestId: 1, generatedAt: iso(T), seqNo: 0, reportData: [
    { component: { name: 'Flux', instance: 'a', evse: { id: 2, connectorId: 1 } }, variable: { name: 'Warp', instance: 'x' }, variableAttribute: [{ value: '9' }, { type: 'MaxSet', value: '10' }], variableCharacteristics: { dataType: 'dateTime', supportsMonitoring: true, unit: 'furlong' } },
    { component: { name: 'FLUX' }, variable: { name: 'warp' }, variableAttribute: [{ value: '1' }] },
  ] })
  const station = await known(b, 'CS001')
  t.equal(station.actual('flux', 'WARP'), '1')
  t.match([...station.variables!.values()].find((v) => v.component.instance === 'a'), { attributes: { Actual: { value: '9' }, MaxSet: { value: '10' } }, characteristics: { dataType: 'dateTime', unit: 'furlong' } })
  await s.close()
  await b.restart()
  t.equal((await known(b, 'CS001')).variables?.size, 2)
})
