import { RPCClient } from 'ocpp-rpc'

/**
 * A charge point made with npm's ocpp-rpc, unmodified and strict, for 1.6 and 2.0.1: boot, transaction, event, stop over wss. It
 * prints what it lived through as one line of JSON. Usage: charge-point.js 1.6|2.0.1 URL ID PASSWORD CA_PEM
 */
type Payload = Record<string, unknown>
const [version = '2.0.1', endpoint = '', identity = '', password = '', ca = ''] = process.argv.slice(2)
const lived: Payload = { library: 'ocpp-rpc', version }
const old = version === '1.6'

const client = new RPCClient({
  endpoint, identity, password, protocols: [`ocpp${version}`], strictMode: true, strictModeValidators: [], callTimeoutMs: 20_000, wsOpts: { ca },
} as unknown as ConstructorParameters<typeof RPCClient>[0])
const now = (): string => new Date().toISOString()
const call = async (action: string, payload: object): Promise<Payload> => await client.call(action, payload) as Payload

/** The next order of the server: answered Accepted, and handed to whoever waits. */
function next(action: string): Promise<Payload> {
  return new Promise((done, fail) => {
    setTimeout(() => fail(new Error(`no ${action} within 60 s`)), 60_000).unref()
    client.handle(action, ({ params }) => {
      done(params as Payload)
      return Promise.resolve({ status: 'Accepted' })
    })
  })
}

const status = (info: unknown): unknown => (info as { status?: string } | undefined)?.status
const token = { idToken: 'DEADBEEF', type: 'ISO14443' }
const event = (eventType: string, seqNo: number, triggerReason: string, value: number, chargingState: string, more: object = {}): Promise<Payload> => call('TransactionEvent', {
  eventType, timestamp: now(), triggerReason, seqNo, transactionInfo: { transactionId: 'outsider-2', chargingState }, evse: { id: 1, connectorId: 1 },
  meterValue: [{ timestamp: now(), sampledValue: [{ value }, { value: 11, measurand: 'Power.Active.Import', unitOfMeasure: { unit: 'kW' } }] }], ...more,
})

const profile = next('SetChargingProfile'), cleared = next('ClearChargingProfile')
client.handle('GetBaseReport', () => Promise.resolve({ status: 'NotSupported' }))
client.handle('GetChargingProfiles', () => Promise.resolve({ status: 'NoProfiles' }))
client.handle('GetConfiguration', () => Promise.resolve({ configurationKey: [] }))
client.handle('GetCompositeSchedule', () => Promise.resolve({ status: 'Rejected' }))
await client.connect()
lived.subprotocol = client.protocol

lived.boot = (await call('BootNotification', old ? { chargePointModel: 'Outsider', chargePointVendor: 'npm' } : { reason: 'PowerUp', chargingStation: { model: 'Outsider', vendorName: 'npm' } })).status
let transactionId: unknown
if (old) {
  await call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Preparing' })
  lived.authorize = status((await call('Authorize', { idTag: 'DEADBEEF' })).idTagInfo)
  const started = await call('StartTransaction', { connectorId: 1, idTag: 'DEADBEEF', meterStart: 1000, timestamp: now() })
  transactionId = started.transactionId
  lived.start = status(started.idTagInfo)
  await call('MeterValues', { connectorId: 1, transactionId, meterValue: [{ timestamp: now(), sampledValue: [{ value: '11', measurand: 'Power.Active.Import', unit: 'kW' }] }] })
} else {
  await call('StatusNotification', { timestamp: now(), connectorStatus: 'Occupied', evseId: 1, connectorId: 1 })
  lived.authorize = status((await call('Authorize', { idToken: token })).idTokenInfo)
  lived.start = status((await event('Started', 0, 'Authorized', 1000, 'Charging', { idToken: token })).idTokenInfo)
}
process.stdout.write('ready\n')
const order = await profile
const given = (order.chargingProfile ?? order.csChargingProfiles) as { chargingProfilePurpose: string; validTo: string; chargingSchedule: unknown }
lived.profile = given.chargingProfilePurpose
lived.limit = ((old ? given.chargingSchedule : (given.chargingSchedule as unknown[])[0]) as { chargingSchedulePeriod: { limit: number }[] }).chargingSchedulePeriod[0]?.limit
lived.validTo = given.validTo
await cleared
lived.cleared = true
lived.stop = old ? status((await call('StopTransaction', { transactionId, idTag: 'DEADBEEF', meterStop: 2500, timestamp: now() })).idTagInfo)
  : status((await event('Ended', 1, 'StopAuthorized', 2500, 'Idle', { idToken: token })).idTokenInfo)
lived.heartbeat = typeof (await call('Heartbeat', {})).currentTime === 'string'
await client.close()
process.stdout.write(`${JSON.stringify(lived)}\n`)
