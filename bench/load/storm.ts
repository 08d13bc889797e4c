import { readFileSync } from 'node:fs'
import { WebSocket } from 'ws'

/**
 * A fleet that comes back at once (REL-042), in a process of its own. `port stations caFile`; what each shows comes as a message. Each station
 * connects over wss, boots, and then answers charging profiles, but every twentieth is silent. Told 503, it comes back a moment later. When
 * the server ends the connection it comes back after a back-off of up to three seconds, and says a heartbeat: no boot is needed (OCPP-017).
 */
const [port, stations, ca] = [Number(process.argv[2]), Number(process.argv[3]), readFileSync(process.argv[4] ?? '', 'utf8')]
const boot = (id: string): string => JSON.stringify([2, 'boot', 'BootNotification', { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V', serialNumber: id } }])
const heartbeat = JSON.stringify([2, 'back', 'Heartbeat', {}])
let refused = 0, lastAt = 0

/** Passwords, or the certificates of all with the one key that they share: keys are made once, as only the handshake is measured. */
export interface Shown {
  readonly passwords?: readonly string[]
  readonly certificates?: readonly string[]
  readonly key?: string
}

function station(i: number, { passwords, certificates, key }: Shown, answered: () => void, over: (again: () => void) => void): void {
  const id = `S${i}`
  const shown = certificates ? { cert: certificates[i], key } : { headers: { Authorization: `Basic ${Buffer.from(`${id}:${passwords?.[i] ?? ''}`).toString('base64')}` } }
  let known = false
  const connect = (): void => {
    const ws = new WebSocket(`wss://localhost:${port}/ocpp/${id}`, ['ocpp2.0.1'], { ca, perMessageDeflate: false, ...shown })
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
      ws.once('close', () => over(connect))
      ws.send(known ? heartbeat : boot(id))
    })
    ws.on('message', (data: Buffer) => {
      const [kind, id, action] = JSON.parse(data.toString()) as [number, string, string]
      if (kind === 3) {
        known = true
        lastAt = performance.now()
        answered()
      } else if (kind === 2 && i % 20 !== 0) ws.send(JSON.stringify([3, id, action === 'SetChargingProfile' ? { status: 'Accepted' } : { status: 'Rejected' }]))
    })
  }
  connect()
}

/** As many handshakes at once as a fleet behind one switch would make, or LOADSTONE_STORM_LANES: the server's door says when it is too much. */
const lanes = Number(process.env.LOADSTONE_STORM_LANES ?? 400)
let busy = 0
const line: (() => void)[] = []
function leave(): void {
  busy -= 1
  enter()
}
function enter(connect?: () => void): void {
  if (connect) line.push(connect)
  while (busy < lanes && line.length > 0) {
    busy += 1
    line.shift()?.()
  }
}

process.once('message', (shown: Shown) => {
  const begun = performance.now()
  /** Stations that are back since the parent said that it closes; undefined before. */
  let back: Set<number> | undefined, booted = 0
  for (let i = 0; i < stations; i += 1) {
    let first = true, inside = true
    enter(() => station(i, shown, () => {
      if (inside) leave()
      inside = false
      if (!first) {
        back?.add(i)
        if (back?.size === stations) process.send?.({ refused })
        return
      }
      first = false
      booted += 1
      if (booted === stations) process.send?.({ accepted: booted, refused, seconds: (lastAt - begun) / 1000 })
    }, (again) => {
      if (inside) leave()
      inside = false
      setTimeout(() => enter(() => { inside = true; again() }), Math.random() * 3000)
    }))
  }
  process.once('message', () => { back = new Set() })
})
