import { connect, type AddressInfo } from 'node:net'
import { gzipSync, brotliCompressSync } from 'node:zlib'
import t from 'tap'
import { base, testVtn } from '#vtn/test-vtn.js'

const v = await testVtn({ webhooks: { echo: 'off' } })
await v.app.listen({ port: 0, host: '127.0.0.1' })
const { port } = v.app.server.address() as AddressInfo
t.teardown(() => v.close())
const authorization = `Bearer ${await v.token()}`
const head = (more: string): string => `POST ${base}/programs HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\n${more}\r\n\r\n`

/** Raw bytes to the door; answers what came back until the server closed or fell silent. `send` goes on writing until it is refused. */
function raw(first: string | Buffer, send?: (write: (part: string) => boolean) => boolean): Promise<string> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => { socket.write(first); pump() })
    let text = '', quiet: NodeJS.Timeout | undefined
    const end = (): void => { clearTimeout(quiet); socket.destroy(); done(text) }
    const pump = (): void => { while (send && !socket.destroyed && send((part) => socket.write(part))) continue }
    socket.on('drain', pump)
    socket.on('data', (d: Buffer) => { text += d.toString(); clearTimeout(quiet); quiet = setTimeout(end, 150) })
    socket.on('error', end).on('close', end)
  })
}
const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0)

t.test('SEC-040 a body without a length, far over the limit, is refused before it is held in memory', async (t) => {
  const before = process.memoryUsage().rss, chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
  let sent = 0
  const answer = await raw(head('Transfer-Encoding: chunked'), (write) => { if (sent >= 64 * 1024 * 1024) return false; sent += 0x4000; return write(chunk) })
  t.equal(statusOf(answer), 413, answer.slice(0, 200))
  t.match(answer, /"status":413/)
  t.ok(sent <= 16 * 1024 * 1024, `the sender was stopped after ${sent} bytes`)
  t.ok(process.memoryUsage().rss - before < 20 * 1024 * 1024 + sent, `grew by ${(process.memoryUsage().rss - before) >> 20} MiB`)
})

t.test('SEC-040 lengths that lie: a large one is refused unread, a short one cuts the body, two are no request', async (t) => {
  t.equal(statusOf(await raw(head('Content-Length: 1073741824'))), 413, 'a gigabyte that is only announced')
  t.equal(statusOf(await raw(`${head('Content-Length: 5')}{"programName":"cut"}`)), 400)
  t.equal(statusOf(await raw(`${head('Content-Length: 5\r\nContent-Length: 20')}{"programName":"two"}`)), 400)
  t.equal(statusOf(await raw(`${head('Content-Length: 5\r\nTransfer-Encoding: chunked')}0\r\n\r\n`)), 400)
  t.equal(statusOf(await raw(head('Content-Length: -1'))), 400)
})

t.test('SEC-040 compressed and chained bodies are 415 before a byte is unpacked', async (t) => {
  const zeros = Buffer.from(`{"programName":"${'0'.repeat(10_000_000)}"}`), bombs: [string, Buffer][] = [['gzip', gzipSync(zeros)], ['br', brotliCompressSync(zeros)], ['deflate', gzipSync(zeros)], ['gzip, gzip', gzipSync(gzipSync(zeros))], ['x-unknown', Buffer.from('x')]]
  for (const [coding, body] of bombs) {
    const answer = await v.app.inject({ method: 'POST', url: `${base}/programs`, headers: { authorization, 'content-type': 'application/json', 'content-encoding': coding }, payload: body })
    t.equal(answer.statusCode, 415, coding)
    t.match(answer.json(), { status: 415 })
  }
})

t.test('SEC-041 JSON that is large or odd inside the limit: 400 with the path or harmless, never 5xx, and the door goes on', async (t) => {
  const many = (n: number, one: (i: number) => string): string => Array.from({ length: n }, (_, i) => one(i)).join(',')
  const table: [string, string, string, number, string?][] = [
    ['100,000 keys', '/programs', `{"programName":"many keys",${many(70_000, (i) => `"k${i}":${i}`)}}`, 201], ['half a million elements', '/programs', `{"programName":"x","targets":[${many(400_000, () => '1')}]}`, 400, '/targets/0'],
    ['a number of a megabyte', '/events', `{"programID":"x","priority":${'9'.repeat(900_000)}}`, 400, '/priority'], ['duplicate keys', '/programs', '{"programName":"first","programName":"second"}', 201], ['an id beyond 2^53', '/events', '{"programID":"x","intervals":[{"id":9007199254740993,"payloads":[]}]}', 400, '/intervals/0/id'],
    ['__proto__', '/programs', '{"__proto__":{"programName":"inherited"}}', 400, '/programName'], ['constructor', '/programs', '{"programName":"c","constructor":{"prototype":{"role":"admin"}}}', 201], ['a lone bracket', '/programs', '['.repeat(100_000), 400], ['BOM', '/programs', '\uFEFF{"programName":"bom"}', 400], ['NaN', '/events', '{"programID":"x","priority":NaN}', 400],
  ]
  for (const [what, path, body, status, pointer] of table) {
    const answer = await v.call('POST', path, 'bl_client', body)
    t.equal(answer.statusCode, status, what)
    if (pointer) t.ok(answer.json().faults.some((f: { path: string }) => f.path === pointer), `${what}: ${answer.body.slice(0, 200)}`)
  }
  t.equal(({} as { role?: string }).role, undefined)
  t.equal((await v.call('GET', '/programs')).statusCode, 200)
})
