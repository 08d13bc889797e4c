import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { WebSocket } from 'ws'
import { rounded, type Emit } from '#bench/figure.js'
import { back, neighbour, there } from '#bench/load/neighbour.js'
import { testDatabase } from '#prisma/test-database.js'

const other = fileURLToPath(new URL('./load/neighbour.js', import.meta.url))
const at = (times: readonly number[], share: number): number => times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] as number

/** A charger that says Accepted to everything. */
async function charger(port: number, password: string): Promise<WebSocket> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/ocpp/FAR`, ['ocpp2.0.1'], { headers: { Authorization: `Basic ${Buffer.from(`FAR:${password}`).toString('base64')}` } })
  await new Promise((open, fail) => { ws.once('open', open); ws.once('error', fail) })
  const booted = new Promise((done) => ws.once('message', done))
  ws.send(JSON.stringify([2, 'boot', 'BootNotification', { reason: 'PowerUp', chargingStation: { model: 'M', vendorName: 'V' } }]))
  await booted
  ws.on('message', (data: Buffer) => {
    const [kind, id] = JSON.parse(data.toString()) as [number, string]
    if (kind === 2) ws.send(JSON.stringify([3, id, { status: 'Accepted' }]))
  })
  return ws
}

async function times(n: number, once: () => Promise<unknown>): Promise<number[]> {
  const out: number[] = []
  for (let i = 0; i < n; i += 1) {
    const begun = performance.now()
    await once()
    out.push(performance.now() - begun)
  }
  return out
}

/** A word there and back over LISTEN/NOTIFY and nothing else. */
async function bare(url: string, n: number): Promise<number[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  let heard: () => void = () => {}
  client.on('notification', () => heard())
  await client.query(`listen ${back}`)
  const all = await times(n, () => new Promise<void>((done) => { heard = done; void client.query('select pg_notify($1, $2)', [there, 'x']) }))
  await client.end()
  return all
}

/** A database that was made just now is slow for a second or two while it writes itself out, bare words too: seconds that no deployment sees again. */
async function settled(command: () => Promise<unknown>): Promise<void> {
  for (const end = performance.now() + 6000; performance.now() < end;) await times(100, command)
}

/** stack.md: a command to a station that another process has, without the station's own time. Two processes, one database. */
export default async function neighboursBench(emit: Emit): Promise<void> {
  const database = await testDatabase(), n = 1000
  const near = await neighbour(database.url)
  const [made] = await near.csms.provision.add('test', [{ id: 'FAR', securityProfile: 1 }])
  const child = fork(other, [database.url], { execArgv: [] })
  const told = <T>(): Promise<T> => new Promise((done, fail) => { child.once('message', (m) => done(m as T)); child.once('exit', (code) => fail(new Error(`the other process ended with ${code}`))) })
  try {
    const ws = await charger(await told<number>(), made?.password as string)
    const command = async (): Promise<boolean> => (await near.csms.command('FAR', 'ClearCache', {})).kind === 'answered'
    // Until the two have found each other.
    while (!await command()) await new Promise((turn) => setTimeout(turn, 50))
    await settled(command)
    const own = told<number[]>()
    child.send(n)
    const station = at(await own, 0.5), least = await bare(database.url, n), all = await times(n, command)
    for (const [name, share] of [['p50', 0.5], ['p99', 0.99]] as const) {
      const value = Math.max(0, at(all, share) - station), baseline = at(least, share)
      emit({ name: `ocpp command to another process ${name}`, value: rounded(value), unit: 'ms', n, baseline: rounded(baseline), ratio: rounded(value / baseline) })
    }
    ws.terminate()
  } finally {
    child.removeAllListeners('exit')
    child.kill()
    await near.close()
    await database.close()
  }
}
