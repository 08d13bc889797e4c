import type { Server, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { systemClock, type Clock, type Timer } from '#core/port/clock.js'

export interface HandshakeLimits {
  /** TLS handshakes under way at once: at 300 ms to a station and back, a thousand a second need 300. */
  readonly most: number
  /** Begun in one turn of the event loop, so that what else is to be done is done between. */
  readonly turn: number
  /** So long the peer of one may take before the next one is begun beside it, ms. */
  readonly hold_ms: number
  /** Connections that may wait for their turn; more are ended. */
  readonly waiting: number
  /** Who has said nothing by then is ended, ms of the machine. */
  readonly silence_ms: number
}

export interface HandshakeLine {
  readonly working: number
  readonly waiting: number
  /** Ends those that wait, as the door closes. */
  end(): void
}

const usual: HandshakeLimits = { most: 512, turn: 32, hold_ms: 1000, waiting: 20_000, silence_ms: 10_000 }
const nameOf = ({ remoteAddress, remotePort }: { remoteAddress?: string | undefined; remotePort?: number | undefined }): string => `${remoteAddress} ${remotePort}`

/**
 * REL-042: TLS handshakes in turn. When a fleet comes back at once and all are begun together, each gets so small a share that all run out of
 * time and come again; begun a few at a time, each is over in milliseconds, and the others wait where they cost nothing, their time not
 * running. Who has said nothing yet takes no place (REL-044), and who does not go on holds one for a second only.
 */
export function handshakeLine(server: Server, given: Partial<HandshakeLimits> = {}, clock: Clock = systemClock): HandshakeLine {
  const { most, turn, hold_ms, waiting, silence_ms } = { ...usual, ...given }
  // What the TLS server does with a connection; node documents that connections may be handed to it.
  const begin = server.listeners('connection') as ((socket: Socket) => void)[]
  const line: Socket[] = [], working = new Map<string, Timer>()
  let soon: NodeJS.Immediate | undefined

  function over(name: string): void {
    const timer = working.get(name)
    if (!timer) return
    timer.cancel()
    working.delete(name)
    next()
  }

  function next(): void {
    if (soon || line.length === 0) return
    soon = setImmediate(begins)
  }

  function begins(): void {
    soon = undefined
    for (let begun = 0; begun < turn && working.size < most && line.length > 0; begun += 1) {
      const socket = line.shift() as Socket
      if (socket.destroyed) continue
      const name = nameOf(socket)
      working.set(name, clock.after(hold_ms * clock.rate, () => over(name)))
      socket.once('close', () => over(name))
      for (const one of begin) one.call(server, socket)
    }
    if (working.size < most) next()
  }

  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    // Refused already, e.g. as one too many of its address (REL-045).
    if (socket.destroyed) return
    if (line.length >= waiting) return void socket.destroy()
    const end = (): void => { socket.destroy() }
    socket.on('error', end)
    socket.setTimeout(silence_ms, end)
    socket.once('readable', () => {
      socket.setTimeout(0)
      socket.off('timeout', end)
      if (socket.readableLength === 0) return void socket.destroy()
      line.push(socket)
      next()
    })
  })
  server.on('secureConnection', (socket: TLSSocket) => over(nameOf(socket)))
  return {
    get working() { return working.size },
    get waiting() { return line.length },
    end() { for (const socket of line.splice(0)) socket.destroy() },
  }
}
