import { createServer, type Server as NetServer, type AddressInfo } from 'node:net'
import { Refusal } from '#core/error.js'
import type { ConnectionLimit } from '#main/per-address.js'

/** A server that listens; `close` stops taking connections on every address. */
export interface Listening {
  readonly port: number
  /** Whether it still takes connections (REL-073). */
  open(): boolean
  close(): Promise<void>
}

/** What `LOADSTONE_HOST` means: loopback is both families, everywhere is the dual-stack wildcard. */
export function addresses(host: string, fallback: 'loopback' | 'everywhere'): readonly string[] {
  const wanted = host || fallback
  if (wanted === 'loopback' || wanted === 'localhost') return ['127.0.0.1', '::1']
  return wanted === 'everywhere' ? ['::'] : [wanted]
}

/**
 * Listens on the first address itself; further addresses hand their connections to the same server, so that one http, https or
 * WebSocket server answers on 127.0.0.1 and ::1 alike. A machine without IPv6 has the first one only. Throws `unavailable` with
 * the port when it is taken.
 */
export async function listen(server: NetServer, port: number, hosts: readonly string[], what: string, limit?: ConnectionLimit): Promise<Listening> {
  const [first = '127.0.0.1', ...others] = hosts
  if (limit) server.prependListener('connection', limit)
  await bind(server, port, first === '::' && !(await haveIPv6()) ? '0.0.0.0' : first, what)
  const chosen = (server.address() as AddressInfo).port
  const doors: NetServer[] = []
  for (const host of others) {
    const door = createServer({ noDelay: true }, (socket) => { server.emit('connection', socket) })
    try {
      await bind(door, chosen, host, what)
      doors.push(door)
    } catch (error) {
      if (!/EADDRNOTAVAIL|EAFNOSUPPORT/.test(String((error as Refusal).cause))) throw error
    }
  }
  const closeOne = (one: NetServer): Promise<void> => new Promise((done) => { one.close(() => done()) })
  return { port: chosen, open: () => server.listening && doors.every((door) => door.listening), close: async () => { await Promise.all([server, ...doors].map(closeOne)) } }
}

/** What to do when an address or a port cannot be had (UX-013). */
export const cannotListen = (what: string, host: string, port: number, cause: NodeJS.ErrnoException): Refusal => new Refusal('unavailable', cause.code === 'EADDRINUSE'
  ? `The ${what} cannot listen on port ${port}: something else does. Stop it, or set LOADSTONE_PORT_BASE.`
  : `The ${what} cannot listen on ${host}:${port} (${cause.code}).`, { cause })

function bind(server: NetServer, port: number, host: string, what: string): Promise<void> {
  return new Promise((done, fail) => {
    const failed = (cause: NodeJS.ErrnoException): void => fail(cannotListen(what, host, port, cause))
    server.once('error', failed)
    server.listen({ port, host, backlog: 1024 }, () => { server.off('error', failed); done() })
  })
}

let ipv6: Promise<boolean> | undefined
const haveIPv6 = (): Promise<boolean> => ipv6 ??= new Promise((done) => {
  const probe = createServer().once('error', () => done(false)).listen(0, '::', () => probe.close(() => done(true)))
})
