import { createServer, connect as plainly, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { WebSocket } from 'ws'

/**
 * Who floods a door (REL-044, REL-045), or lives beside the flood, in a process of their own: `kind n address port tlsPort`.
 * `honest`: stations that say heartbeats; each `measure` from the parent is answered with their 99th percentile. `slow`: connections that
 * say nothing, half a TLS handshake, nothing after it, or a request whose end never comes. `many`: TLS connections from one address.
 */
const [kind, n, localAddress, port, tlsPort] = [process.argv[2], Number(process.argv[3]), process.argv[4] ?? '', Number(process.argv[5]), Number(process.argv[6])]
const host = '127.0.0.1'

export interface Known { readonly passwords: readonly string[]; readonly ca: string }

async function station(i: number, { passwords, ca }: Known): Promise<WebSocket> {
  const ws = new WebSocket(`wss://localhost:${tlsPort}/ocpp/F${i}`, ['ocpp2.0.1'], { ca, localAddress, perMessageDeflate: false, headers: { Authorization: `Basic ${Buffer.from(`F${i}:${passwords[i]}`).toString('base64')}` } })
  await new Promise((open, fail) => { ws.once('open', open).once('error', fail) })
  await call(ws, 'BootNotification', { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V' } })
  return ws
}

/** Resolves with the time of the answer, ms. */
async function call(ws: WebSocket, action: string, payload: object): Promise<number> {
  const begun = performance.now(), answered = new Promise((done, fail) => { ws.once('message', done).once('close', () => fail(new Error('closed'))) })
  ws.send(JSON.stringify([2, `${begun}`, action, payload]))
  await answered
  ws.removeAllListeners('close')
  return performance.now() - begun
}

/** Honest stations: the last one joins while `measure` runs, so that logging in is measured too. */
function honest(): void {
  process.once('message', async (known: Known) => {
    const stations = await Promise.all(Array.from({ length: n }, (_, i) => station(i, known)))
    process.on('message', async ({ seconds }: { seconds: number }) => {
      const times: number[] = [], end = performance.now() + seconds * 1000
      const joining = performance.now(), joined = station(n, known).then((ws) => { ws.terminate(); return performance.now() - joining })
      await Promise.all(stations.map(async (ws) => {
        while (performance.now() < end) {
          times.push(await call(ws, 'Heartbeat', {}))
          await new Promise((turn) => setTimeout(turn, 20))
        }
      }))
      process.send?.({ p99: times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)], asked: times.length, joined: await joined })
    })
    process.send?.('ready')
  })
}

/** What a TLS client says first. */
function hello(): Promise<Buffer> {
  return new Promise((heard) => {
    const ear = createServer((socket) => socket.once('data', (data) => { socket.destroy(); ear.close(); heard(data) }))
    ear.listen(0, host, () => tlsConnect({ port: (ear.address() as { port: number }).port, host }).on('error', () => {}))
  })
}

const request = `GET /ocpp/F0 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`

async function slow(): Promise<void> {
  const words = await hello()
  const ways: (() => Socket)[] = [
    () => plainly({ port: tlsPort, host, localAddress }),
    () => { const s = plainly({ port: tlsPort, host, localAddress }, () => s.write(words)); return s },
    () => tlsConnect({ port: tlsPort, host, localAddress, rejectUnauthorized: false } as never),
    () => {
      const s = plainly({ port, host, localAddress }, () => s.write(request))
      const trickle = setInterval(() => { if (s.writable) s.write('X') }, 500)
      return s.once('close', () => clearInterval(trickle))
    },
  ]
  const begun = performance.now()
  await Promise.all(Array.from({ length: n }, (_, i) => new Promise<void>((gone) => (ways[i % ways.length] as () => Socket)().on('error', () => {}).resume().once('close', () => gone()))))
  process.send?.({ freed: (performance.now() - begun) / 1000 })
}

async function many(): Promise<void> {
  let held = 0, refused = 0
  await Promise.all(Array.from({ length: n }, () => new Promise<void>((done) => {
    let known = false
    const s = tlsConnect({ port: tlsPort, host, localAddress, rejectUnauthorized: false } as never, () => { known = true; held += 1; done() })
    s.on('error', () => {}).once('close', () => { if (!known) { refused += 1; done() } })
  })))
  process.send?.({ held, refused })
}

if (kind === 'honest') honest()
else await (kind === 'slow' ? slow() : many())
