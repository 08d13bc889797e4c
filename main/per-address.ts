import type { Socket } from 'node:net'
import type { Log } from '#core/port/log.js'

/** Looks at a connection before anything is read of it, and may end it. */
export type ConnectionLimit = (socket: Socket) => void

const silence_ms = 10_000

/**
 * REL-045: one address holds so many connections of a door and no more (an IPv6 address counts by its /64, which one host may have whole);
 * a connection on which nothing at all is said within ten seconds is ended. `most` 0 = as many as they like.
 */
export function connectionLimit(most: number, what: string, log: Log): ConnectionLimit {
  const held = new Map<string, number>()
  let refused = 0
  return (socket) => {
    const from = networkOf(socket.remoteAddress ?? ''), now = held.get(from) ?? 0
    if (most > 0 && now >= most) {
      // one line for the first of a flood, not one for each of its thousands
      if (refused++ % 1000 === 0) log.warn({ address: from, connections: now, door: what, clause: 'REL-045' }, 'too many connections from one address: refused')
      socket.resetAndDestroy()
      return
    }
    held.set(from, now + 1)
    const silent = setTimeout(() => { if (socket.bytesRead === 0) socket.destroy() }, silence_ms)
    silent.unref()
    socket.once('close', () => {
      clearTimeout(silent)
      const left = (held.get(from) ?? 1) - 1
      if (left > 0) held.set(from, left)
      else held.delete(from)
    })
  }
}

function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address.replace('::ffff:', '')
  const [head = '', tail = ''] = address.split('::'), front = head.split(':').filter(Boolean), back = tail.split(':').filter(Boolean)
  return [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back].slice(0, 4).join(':')
}
