import { WebSocket } from 'ws'

export interface Health { readonly heap_MB: number; readonly rss_MB: number; readonly handles: number; readonly timers: number }

const asked = 'JSON.stringify({ memory: process.memoryUsage(), active: process.getActiveResourcesInfo() })'

/** Looks into a process by Node's inspector: collects its garbage first, so that what is left is held by somebody. */
export async function inspected(port: number): Promise<() => Promise<Health>> {
  const targets = await (await fetch(`http://127.0.0.1:${port}/json`)).json() as { webSocketDebuggerUrl: string }[]
  const socket = new WebSocket(targets[0]!.webSocketDebuggerUrl), waiting = new Map<number, (result: never) => void>()
  await new Promise((open, failed) => { socket.once('open', open); socket.once('error', failed) })
  socket.on('message', (text: Buffer) => {
    const { id, result } = JSON.parse(text.toString()) as { id: number; result: never }
    waiting.get(id)?.(result)
  })
  let count = 0
  const call = <T>(method: string, params: object = {}): Promise<T> => new Promise((done) => {
    waiting.set(count += 1, done as (result: never) => void)
    socket.send(JSON.stringify({ id: count, method, params }))
  })
  return async () => {
    for (let i = 0; i < 2; i++) await call('HeapProfiler.collectGarbage')
    const { result } = await call<{ result: { value: string } }>('Runtime.evaluate', { expression: asked, returnByValue: true })
    const { memory, active } = JSON.parse(result.value) as { memory: NodeJS.MemoryUsage; active: string[] }
    const timers = active.filter((a) => a === 'Timeout' || a === 'Immediate').length
    return { heap_MB: Math.round(memory.heapUsed / 1e4) / 100, rss_MB: Math.round(memory.rss / 1e6), handles: active.length - timers, timers }
  }
}
