import { readFileSync } from 'node:fs'
import { WebSocket } from 'ws'

/**
 * A fleet that comes back at once (REL-042), in a process of its own. `port stations caFile`; the passwords come as a message. Each station
 * connects over wss, boots, and then answers charging profiles, but every twentieth is silent. Told 503, it comes back a moment later.
 */
const [port, stations, ca] = [Number(process.argv[2]), Number(process.argv[3]), readFileSync(process.argv[4] ?? '', 'utf8')]
const boot = JSON.stringify([2, 'boot', 'BootNotification', { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V' } }])
let accepted = 0, refused = 0, lastAt = 0

function station(i: number, password: string): Promise<void> {
  return new Promise((booted) => {
    const connect = (): void => {
      const ws = new WebSocket(`wss://localhost:${port}/ocpp/S${i}`, ['ocpp2.0.1'], {
        ca, perMessageDeflate: false, headers: { Authorization: `Basic ${Buffer.from(`S${i}:${password}`).toString('base64')}` },
      })
      const again = (): void => {
        refused += 1
        ws.removeAllListeners('error')
        ws.on('error', () => {})
        ws.terminate()
        setTimeout(connect, 500 + (i % 50) * 20)
      }
      ws.once('unexpected-response', again)
      ws.once('error', again)
      ws.once('open', () => {
        ws.off('error', again)
        ws.on('error', () => {})
        ws.send(boot)
      })
      ws.on('message', (data: Buffer) => {
        const [kind, id, action] = JSON.parse(data.toString()) as [number, string, string]
        if (kind === 3) {
          accepted += 1
          lastAt = performance.now()
          booted()
        } else if (kind === 2 && i % 20 !== 0) ws.send(JSON.stringify([3, id, action === 'SetChargingProfile' ? { status: 'Accepted' } : { status: 'Rejected' }]))
      })
    }
    connect()
  })
}

process.once('message', (m: { passwords: string[] }) => {
  const begun = performance.now()
  // As many at once as a fleet behind one switch would be: the server's door says when it is too much.
  let next = 0
  const lane = async (): Promise<void> => { while (next < stations) { const i = next++; await station(i, m.passwords[i] as string) } }
  void Promise.all(Array.from({ length: 400 }, lane)).then(() => process.send?.({ accepted, refused, seconds: (lastAt - begun) / 1000 }))
})
