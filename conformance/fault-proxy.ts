import { createServer, connect, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/** What goes wrong on the way; the same for both directions unless `direction` says which. */
export interface Faults {
  /** Every piece waits so long. */
  readonly delay_ms?: number
  /** New connections are reset at once. */
  readonly refuse?: boolean
  /** Bytes are swallowed, the connection stands. */
  readonly blackhole?: boolean
  /** The connection is reset after so many bytes have passed: in the middle of a message, of a TLS record. */
  readonly cutAfter?: number
  /** The same, counted from the moment when this is set: in the middle of a message on a connection that has stood for long. */
  readonly cutIn?: number
  readonly bytesPerSecond?: number
  /** Pieces of so many bytes go out in pairs, the later one first: what no TCP does, but a broken middlebox. */
  readonly reorder?: number
  readonly direction?: 'up' | 'down'
}

export interface FaultProxy {
  readonly port: number
  readonly connections: () => number
  /** What goes wrong from now on, also on connections that stand. */
  set(faults: Faults): void
  /** Resets every connection that stands. */
  cut(): void
  /** When a connection is next cut or refused by what was set. */
  struck(): Promise<void>
  /** When no connection stands, so that what is set next strikes only what comes next. */
  idle(): Promise<void>
  close(): Promise<void>
}

/** A TCP proxy in front of a door, for reliability tests: delay, drop, cut mid-byte, blackhole, throttle, reorder. */
export async function faultProxy(to: { readonly host?: string; readonly port: number }, at = 0): Promise<FaultProxy> {
  let faults: Faults = {}
  const waiting: (() => void)[] = [], strike = (): void => { for (const wake of waiting.splice(0)) wake() }
  const pairs = new Set<readonly [Socket, Socket]>(), resting: (() => void)[] = []
  const gone = (pair: readonly [Socket, Socket]): void => { pairs.delete(pair); if (pairs.size === 0) for (const wake of resting.splice(0)) wake() }
  const server: Server = createServer((client) => {
    if (faults.refuse) { client.resetAndDestroy(); strike(); return }
    const upstream = connect({ host: to.host ?? '127.0.0.1', port: to.port })
    const pair = [client, upstream] as const
    pairs.add(pair)
    const end = (): void => { gone(pair); client.destroy(); upstream.destroy() }
    const abort = (): void => { gone(pair); client.resetAndDestroy(); upstream.resetAndDestroy(); strike() }
    const flushed = [pass(client, upstream, 'up', () => faults, abort), pass(upstream, client, 'down', () => faults, abort)]
    // What is still on its way when one side closes arrives before the other side hears of it.
    for (const socket of pair) { socket.on('error', end); socket.on('close', () => void Promise.all(flushed.map((line) => line())).then(end)) }
  })
  await new Promise<void>((ready, failed) => { server.once('error', failed); server.listen(at, '127.0.0.1', ready) })
  const cut = (): void => { for (const [client, upstream] of pairs) { client.resetAndDestroy(); upstream.resetAndDestroy() } }
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => pairs.size,
    set(next) { faults = next },
    cut,
    idle: () => new Promise((done) => { if (pairs.size === 0) done(); else resting.push(done) }),
    struck: () => new Promise((done) => { waiting.push(done) }),
    close: () => new Promise((done) => { cut(); server.close(() => done()) }),
  }
}

function pass(from: Socket, to: Socket, direction: 'up' | 'down', now: () => Faults, abort: () => void): () => Promise<void> {
  let passed = 0, seen: Faults | undefined, begun = 0
  let line: Promise<void> = Promise.resolve()
  let waiting: Buffer | undefined
  const send = (piece: Buffer): void => { if (!to.destroyed) to.write(piece) }
  from.on('data', (data: Buffer) => {
    const faults = now()
    if (faults.direction !== undefined && faults.direction !== direction) { line = line.then(() => send(data)); return }
    if (faults.blackhole) return
    if (faults !== seen) { seen = faults; begun = passed }
    const end = faults.cutIn === undefined ? faults.cutAfter : begun + faults.cutIn
    if (end !== undefined && passed + data.length >= end) {
      const rest = data.subarray(0, Math.max(0, end - passed))
      line = line.then(() => { if (rest.length && !to.destroyed) to.write(rest, () => abort()); else abort() })
      return
    }
    passed += data.length
    const wait = (faults.delay_ms ?? 0) + (faults.bytesPerSecond ? (data.length / faults.bytesPerSecond) * 1000 : 0)
    line = line.then(async () => {
      if (wait) await new Promise((wake) => setTimeout(wake, wait))
      if (!faults.reorder) { send(data); return }
      for (let i = 0; i < data.length; i += faults.reorder) {
        const piece = data.subarray(i, i + faults.reorder)
        if (waiting) { send(piece); send(waiting); waiting = undefined } else waiting = piece
      }
      if (waiting) { send(waiting); waiting = undefined }
    })
  })
  return () => line
}
