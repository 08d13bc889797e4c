import { WebSocket } from 'ws'

/** Stations of the OCPP benchmark, in a process of their own: `port stations seconds mix`, where mix is mixed, events, meters or idle. */
const [port, stations, seconds, mix] = [Number(process.argv[2]), Number(process.argv[3]), Number(process.argv[4]), process.argv[5] ?? 'mixed']

const samples = (at: string, n: number): object[] => [{ timestamp: at, sampledValue: [
  { value: 1000 + n }, { value: 7000, measurand: 'Power.Active.Import', unitOfMeasure: { unit: 'W' } },
  { value: 16, measurand: 'Current.Import', phase: 'L1', unitOfMeasure: { unit: 'A' } }, { value: 230, measurand: 'Voltage', phase: 'L1', unitOfMeasure: { unit: 'V' } },
] }]

function message(id: number, n: number): string {
  const at = new Date(1_780_000_000_000 + n * 1000).toISOString(), key = `${id}-${n}`
  const event = (): string => JSON.stringify([2, key, 'TransactionEvent', {
    eventType: n === 0 ? 'Started' : 'Updated', timestamp: at, triggerReason: 'MeterValuePeriodic', seqNo: n, transactionInfo: { transactionId: `t${id}`, chargingState: 'Charging' },
    evse: { id: 1, connectorId: 1 }, meterValue: samples(at, n),
  }])
  if (mix === 'events') return event()
  if (mix === 'meters') return JSON.stringify([2, key, 'MeterValues', { evseId: 1, meterValue: samples(at, n) }])
  const die = n % 10
  if (die < 6) return event()
  if (die < 8) return JSON.stringify([2, key, 'StatusNotification', { timestamp: at, connectorStatus: 'Occupied', evseId: 1, connectorId: 1 }])
  return JSON.stringify([2, key, 'Heartbeat', {}])
}

async function run(passwords: readonly string[]): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: stations }, async (_, i) => {
    await new Promise((turn) => setTimeout(turn, i / 2))
    const headers = passwords[i] === undefined ? {} : { Authorization: `Basic ${Buffer.from(`B${i}:${passwords[i]}`).toString('base64')}` }
    const ws = new WebSocket(`ws://127.0.0.1:${port}/ocpp/B${i}`, ['ocpp2.0.1'], { headers, perMessageDeflate: false })
    await new Promise((open, fail) => { ws.once('open', open); ws.once('error', fail) })
    return ws
  }))
  if (mix === 'idle') {
    await new Promise((settled) => setTimeout(settled, 500))
    process.send?.({ answered: 0, seconds: 0 })
    return
  }
  const boot = JSON.stringify([2, 'boot', 'BootNotification', { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V' } }])
  if (passwords.length > 0) {
    await Promise.all(sockets.map((ws) => new Promise((done) => { ws.once('message', done); ws.send(boot) })))
  }
  let answered = 0
  const begun = performance.now()
  sockets.forEach((ws, id) => {
    let n = 0
    ws.on('message', () => {
      answered += 1
      ws.send(message(id, n += 1))
    })
    ws.send(message(id, n))
  })
  await new Promise((over) => setTimeout(over, seconds * 1000))
  process.send?.({ answered, seconds: (performance.now() - begun) / 1000 }, () => process.exit(0))
}

const provided = mix === 'events' || mix === 'meters'
if (provided) process.once('message', (m: { passwords: string[] }) => void run(m.passwords))
else void run([])
