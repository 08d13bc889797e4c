import { connect, type AddressInfo } from 'node:net'
import t from 'tap'
import { belowHttp, oneHost } from '#vtn/below-http.js'
import { testVtn } from '#vtn/test-vtn.js'

const v = await testVtn({ webhooks: { echo: 'off' } })
await v.app.listen({ port: 0, host: '127.0.0.1' })
const { port } = v.app.server.address() as AddressInfo
t.teardown(() => v.close())
const token = await v.token()

/** Bytes to the door and what came back, until it closed or fell silent. */
function raw(bytes: string | Buffer): Promise<string> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let text = '', quiet: NodeJS.Timeout | undefined
    const end = (): void => { clearTimeout(quiet); socket.destroy(); done(text) }
    socket.on('data', (d: Buffer) => { text += d.toString(); clearTimeout(quiet); quiet = setTimeout(end, 200) })
    socket.on('error', end).on('close', end)
  })
}
const host = 'Host: localhost\r\n', auth = `Authorization: Bearer ${token}\r\n`, json = 'Content-Type: application/json\r\n'

for (const base of ['/openadr3/3.1.1', '/openadr3/3.0.1']) {
  const get = (target: string, more = host + auth, version = 'HTTP/1.1', method = 'GET'): string => `${method} ${target} ${version}\r\n${more}\r\n`
  const post = (body: string | Buffer, more = json): Buffer => Buffer.concat([Buffer.from(`POST ${base}/programs HTTP/1.1\r\n${host}${auth}${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`), Buffer.from(body)])
  const latin = Buffer.from('{"programName":"caf\xe9"}', 'latin1')

  t.test(`OA-050 OA-008 OA-007 ${base}: what is hardly HTTP, or hardly JSON, is refused as a Problem too, and never 500`, async (t) => {
    const table: [number, string, string | Buffer][] = [
      [400, 'no HTTP at all', '\x16\x03\x01\x00\x00hello\r\n\r\n'], [400, 'an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], [400, 'an invented method', get(`${base}/programs`, host + auth, 'HTTP/1.1', 'FOO')],
      [400, 'line feeds alone', get(`${base}/programs`).replaceAll('\r\n', '\n')], [400, 'U+0000 in a field', get(`${base}/programs`, `${host}X: a\0b\r\n`)], [400, 'a space in a field name', get(`${base}/programs`, `${host}X Y: 1\r\n`)],
      [400, 'raw letters in the address', Buffer.from(get(`${base}/programs/é`))], [431, 'a field of 20 kB', get(`${base}/programs`, `${host}X: ${'x'.repeat(20_000)}\r\n`)], [414, 'an id of 15 kB', get(`${base}/programs/${'x'.repeat(15_000)}`)],
      [400, 'no Host', get(`${base}/programs`, auth)], [400, 'two Hosts', get(`${base}/programs`, `${host}${host}${auth}`)], [417, 'an expectation of miracles', post('{}', `${json}Expect: a-miracle\r\n`)],
      [405, 'TRACE', get(`${base}/programs`, host + auth, 'HTTP/1.1', 'TRACE')], [405, 'OPTIONS', get(`${base}/programs`, host + auth, 'HTTP/1.1', 'OPTIONS')], [501, 'PROPFIND', get(`${base}/programs`, host + auth, 'HTTP/1.1', 'PROPFIND')], [404, 'OPTIONS *', get('*', host + auth, 'HTTP/1.1', 'OPTIONS')],
      [400, 'letters that are not UTF-8', post(latin)], [400, 'an overlong form', post(Buffer.concat([Buffer.from('{"programName":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]))], [400, 'half a letter', post(Buffer.from([0x22, 0xe2, 0x82, 0x22]))],
      [415, 'ISO 8859-1', post(latin, 'Content-Type: application/json; charset=iso-8859-1\r\n')], [415, 'UTF-16', post(Buffer.from('{}', 'utf16le'), 'Content-Type: application/json; charset=utf-16\r\n')], [415, 'LD+JSON', post('{}', 'Content-Type: application/ld+json\r\n')],
      [400, 'white space', post('  \n')], [400, 'nothing', post('')], [400, 'a chain of 100,000 brackets beside 1.0', post(`{"a":1.0,"programName":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)],
    ]
    for (const [status, what, bytes] of table) {
      const [head = '', body = ''] = (await raw(bytes)).split('\r\n\r\n')
      t.match(head, new RegExp(`^HTTP/1.1 ${status} `), what)
      t.match(head, /content-type: application\/json; charset=utf-8/i, what)
      const problem = JSON.parse(body) as { instance: string }
      t.match(problem, { type: 'about:blank', status, title: /^[A-Z]/, detail: /\w/, instance: `urn:uuid:${/x-request-id: (\S+)/i.exec(head)?.[1]}` }, what)
      t.ok(body.length < 5000, `${what}: says back no more than it must`)
    }
  })

  t.test(`OA-008 OA-060 ${base}: what is odd and right works`, async (t) => {
    const table: [number, string, string | Buffer][] = [
      [200, 'HEAD', get(`${base}/programs`, host + auth, 'HTTP/1.1', 'HEAD')], [404, 'HEAD of nothing', get(`${base}/programs/nobody`, host + auth, 'HTTP/1.1', 'HEAD')], [200, 'HTTP/1.0 without Host', get(`${base}/programs`, auth, 'HTTP/1.0')],
      [200, 'an absolute address', get(`http://localhost${base}/programs`)], [200, 'a wish for XML', get(`${base}/programs`, `${host}${auth}Accept: text/xml\r\n`)], [200, 'a GET with a body', `${get(`${base}/programs`, `${host}${auth}Content-Length: 3\r\n`)}abc`],
      [200, 'a range', get(`${base}/programs`, `${host}${auth}Range: bytes=0-1\r\n`)], [200, 'bearer in small letters', get(`${base}/programs`, `${host}authorization: bearer ${token}\r\n`)], [404, 'an id in percent-encoding', get(`${base}/programs/%61bc`)],
      [201, 'a quoted charset', post(`{"programName":"süß 🌞 ${base}"}`, 'Content-Type: application/json;charset="UTF-8"\r\n')], [201, 'a semicolon too many', post(`{"programName":"semicolon ${base}"}`, 'Content-Type: application/json;\r\n')],
      [404, 'DELETE with an empty JSON body', get(`${base}/programs/x`, `${host}${auth}${json}Content-Length: 0\r\n`, 'HTTP/1.1', 'DELETE')],
    ]
    for (const [status, what, bytes] of table) {
      const [head = '', body = ''] = (await raw(bytes)).split('\r\n\r\n')
      t.match(head, new RegExp(`^HTTP/1.1 ${status} `), what)
      if (what.startsWith('HEAD')) t.equal(body, '', what)
    }
    const continued = await raw(post(`{"programName":"continued ${base}"}`, `${json}Expect: 100-continue\r\n`))
    t.match(continued, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 201 /)
    t.match((await v.call('GET', `${base}/programs?programName=${encodeURIComponent(`süß 🌞 ${base}`)}`)).body, /süß 🌞/)
  })
}

t.test('REL-044 OA-050 a request that does not end in time is told so where it can still hear it', (t) => {
  const said: string[] = [], below = belowHttp({ uuid: () => '00000000-0000-7000-8000-000000000000' })
  const socket = (more: object) => ({ destroyed: false, writable: true, end: (text: string) => said.push(text), destroy: () => said.push('destroyed'), ...more }) as never
  below.clientError(Object.assign(new Error('x'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket({}))
  below.clientError(new Error('x'), socket({ writable: false }))
  below.clientError(Object.assign(new Error('x'), { code: 'ECONNRESET' }), socket({}))
  t.match(said, [/^HTTP\/1.1 408 Request Timeout\r\n[^]*"status":408/, 'destroyed'])
  t.equal(oneHost({ httpVersionMinor: 1, headers: { host: 'a' }, rawHeaders: ['hOsT', 'a', 'Most', 'b'] } as never), true)
  t.end()
})
