import { createServer, connect, type AddressInfo } from 'node:net'
import t from 'tap'
import { faultProxy } from '#conformance/fault-proxy.js'

const server = createServer((socket) => { socket.on('data', (d) => socket.write(d)); socket.on('error', () => {}) })
await new Promise<void>((ready) => { server.listen(0, '127.0.0.1', ready) })
const port = (server.address() as AddressInfo).port
const proxy = await faultProxy({ port })
t.teardown(async () => { await proxy.close(); server.close() })

/** What comes back for `text`, how the connection ended and how long it took. */
function say(text: string, patience_ms = 400): Promise<{ got: string; reset: boolean; ms: number }> {
  const begun = performance.now()
  return new Promise((resolve) => {
    const socket = connect(proxy.port, '127.0.0.1')
    let got = '', reset = false
    const done = (): void => { socket.destroy(); resolve({ got, reset, ms: performance.now() - begun }) }
    socket.on('data', (d) => { got += String(d); if (got.length >= text.length) done() })
    socket.on('error', () => { reset = true })
    socket.on('close', done)
    socket.on('connect', () => socket.write(text))
    setTimeout(done, patience_ms)
  })
}

t.test('UX-041 the fault proxy passes bytes, delays, swallows, cuts, throttles, reorders and refuses', async (t) => {
  t.equal((await say('hello')).got, 'hello', 'as it is')
  proxy.set({ delay_ms: 60 })
  t.ok((await say('hello')).ms >= 100, 'each way waits')
  proxy.set({ blackhole: true })
  t.same((await say('hello', 150)).got, '', 'nothing comes back')
  proxy.set({ cutAfter: 3, direction: 'down' })
  const cut = await say('hello')
  t.ok(cut.got.length <= 3 && cut.ms < 400, `cut in the middle: '${cut.got}'`)
  proxy.set({ bytesPerSecond: 100, direction: 'up' })
  t.ok((await say('0123456789')).ms >= 95, 'ten bytes at a hundred a second')
  proxy.set({ reorder: 2, direction: 'up' })
  t.equal((await say('abcd')).got, 'cdab', 'the later piece first')
  proxy.set({ cutIn: 3, direction: 'down' })
  const struck = proxy.struck()
  t.ok((await say('hello')).got.length <= 3, 'cut so many bytes from now on')
  await struck
  await proxy.idle()
  t.equal(proxy.connections(), 0)
  proxy.set({ refuse: true })
  t.ok((await say('hello')).reset, 'refused')
  proxy.set({})
  t.equal((await say('again')).got, 'again', 'well again')
})
