import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { createServer as tcpServer, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { noticeSendTask, noticeTask } from '#core/notice/notice.js'
import { afterQuiet } from '#core/notice/quiet.js'
import { noticeSenders } from '#core/notice/senders.js'
import { choose, fill, templateFault } from '#core/notice/template.js'
import { homes, testDoor } from '#core/operator/test-door.js'
import { guardedPost } from '#core/webhook/guarded-post.js'

// real databases on a machine that is shared with other tests
t.setTimeout(240_000)

const denver = 'America/Denver'

t.test('CORE notices: quiet hours are local, over midnight and over a clock change', async (t) => {
  const quiet = { from: '21:00', to: '08:00' }, at = (iso: string): number => Date.parse(iso)
  t.equal(afterQuiet(at('2026-07-15T12:00:00-06:00'), quiet, denver), at('2026-07-15T12:00:00-06:00'))
  t.equal(afterQuiet(at('2026-07-15T22:00:00-06:00'), quiet, denver), at('2026-07-16T08:00:00-06:00'))
  t.equal(afterQuiet(at('2026-07-16T07:59:00-06:00'), quiet, denver), at('2026-07-16T08:00:00-06:00'))
  t.equal(afterQuiet(at('2026-11-01T00:30:00-06:00'), quiet, denver), at('2026-11-01T08:00:00-07:00'), 'the night has an hour more')
  t.equal(afterQuiet(at('2026-07-15T13:00:00-06:00'), { from: '12:00', to: '14:00' }, denver), at('2026-07-15T14:00:00-06:00'))
})

t.test('SEC-047 templates: unknown words are refused, values cannot make headers, own words come first', async (t) => {
  t.match(templateFault('{{name}} {{password}}'), /password/)
  const values = { name: 'a\r\nBcc: x', program: 'p', servicePoint: '', power: '', start: '', end: '', zone: '', reason: '', delivered: '' }
  t.equal(fill('{{ name }}!', values), 'a Bcc: x!')
  const general = { program: null, occasion: 'announced', channel: 'sms', language: 'en', subject: '', text: 'general' } as const
  const want = { program: 'p', occasion: 'announced', channel: 'sms', language: 'de' } as const
  t.equal(choose([general, { ...general, program: 'p', text: 'own' }, { ...general, language: 'de', text: 'deutsch' }], want).text, 'own')
  t.equal(choose([general, { ...general, language: 'de', text: 'deutsch' }], want).text, 'deutsch')
  t.match(choose([], want).text, /{{program}}/)
})

/** A mail server as the standard has it, that keeps what it is given; `refuse` answers RCPT with a code. */
async function smtpSink(refuse: { code: number | undefined }) {
  const mails: { to: string[]; data: string }[] = [], sockets = new Set<Socket>()
  const server = tcpServer((socket) => {
    sockets.add(socket)
    let rest = '', data: string | undefined, to: string[] = []
    const say = (line: string): void => void socket.write(`${line}\r\n`)
    say('220 sink ESMTP')
    socket.on('data', (chunk) => {
      rest += chunk.toString('utf8')
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end)
        rest = rest.slice(end + 2)
        if (data !== undefined) {
          if (line !== '.') data += `${line.replace(/^\./, '')}\n`
          else {
            mails.push({ to, data })
            data = undefined
            to = []
            say('250 kept')
          }
        } else if (/^EHLO/i.test(line)) say('250 sink')
        else if (/^RCPT TO:<(.*)>/i.test(line)) {
          if (refuse.code) say(`${refuse.code} no`)
          else {
            to.push(/<(.*)>/.exec(line)![1]!)
            say('250 ok')
          }
        } else if (/^DATA/i.test(line)) {
          data = ''
          say('354 go on')
        } else if (/^QUIT/i.test(line)) {
          say('221 bye')
          socket.end()
        } else say('250 ok')
      }
    }).on('error', () => {}).on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  return { port: (server.address() as AddressInfo).port, mails, close: () => { for (const s of sockets) s.destroy(); server.close() } }
}

t.test('issue 3.8 registered customers are told by mail and SMS; quiet hours hold, failures are tried again, everything is in a log', async (t) => {
  const refuse: { code: number | undefined } = { code: undefined }, sink = await smtpSink(refuse)
  const texts: { body: string; signature: string }[] = []
  const provider = createServer((q, a) => {
    let body = ''
    q.on('data', (c) => { body += c }).on('end', () => {
      texts.push({ body, signature: String(q.headers['loadstone-signature']) })
      a.writeHead(202).end('queued')
    })
  })
  await new Promise<void>((done) => { provider.listen(0, '127.0.0.1', done) })
  const outbound = guardedPost({ allows: () => true, allowHttp: true }), noonMs = Date.UTC(2026, 6, 15, 18)
  const senders = noticeSenders({ smtpUrl: `smtp://127.0.0.1:${sink.port}`, from: 'Utility <events@utility.example>', smsUrl: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/sms`, smsSecret: 'sesame' }, outbound, () => noonMs)
  const { core, clock, as } = await testDoor(t, { nowMs: noonMs, tasks: (transact) => ({ 'notice': noticeTask(transact), 'notice-send': noticeSendTask(transact, senders) }) })
  t.teardown(async () => {
    senders.close()
    await outbound.close()
    provider.close()
    sink.close()
  })
  const call = await as('admin', 'ada')
  await homes(call, 3)
  t.equal((await call('POST', 'contacts', { servicePoint: 'home-0', email: 'a@b.example\r\nBcc: c' })).statusCode, 422)
  t.equal((await call('POST', 'contacts', { servicePoint: 'home-0' })).statusCode, 422)
  for (const body of [
    { servicePoint: 'home-0', name: 'Ada', email: 'ada@example.org', sms: '+13035550100' },
    { servicePoint: 'home-1', name: 'Bo', email: 'bo@example.org', quietHours: { from: '11:00', to: '14:00' }, timeZone: denver },
    { servicePoint: 'home-2', name: 'Cy', email: 'cy@example.org', quietHours: { from: '11:00', to: '17:00' }, timeZone: denver },
  ]) t.equal((await call('POST', 'contacts', body)).statusCode, 201)
  t.equal((await call('POST', 'notice-templates', { occasion: 'announced', channel: 'sms', text: '{{nope}}' })).statusCode, 422)
  t.equal((await call('POST', 'notice-templates', { program: 'peak', occasion: 'announced', channel: 'sms', text: '{{program}} {{start}} {{zone}}' })).statusCode, 201)
  core.timetable.start()
  const d = (await call('POST', 'dispatches', { program: 'peak', power_kW: 15, start: '2026-07-15T16:00:00-06:00', end: '2026-07-15T18:00:00-06:00' })).data
  await core.timetable.settled()
  const log = async (): Promise<Record<string, string>> => Object.fromEntries((await call('GET', `notices?dispatch=${d.id}`)).data.items.map((n: { occasion: string; to: string; state: string }) => [`${n.occasion} ${n.to}`, n.state]))
  t.strictSame(await log(), { 'announced ada@example.org': 'sent', 'announced +13035550100': 'sent', 'announced bo@example.org': 'held', 'announced cy@example.org': 'quiet' })
  t.strictSame(sink.mails.map((m) => m.to), [['ada@example.org']])
  t.match(sink.mails[0]!.data, /Subject: peak: event on 2026-07-15 16:00/)
  t.match(sink.mails[0]!.data, /Hello Ada/)
  t.match(JSON.parse(texts[0]!.body), { to: '+13035550100', text: 'peak 2026-07-15 16:00 America/Denver' })
  const [time, v1] = texts[0]!.signature.split(',')
  t.equal(v1, `v1=${createHmac('sha256', 'sesame').update(`${time!.slice(2)}.${texts[0]!.body}`).digest('hex')}`)

  refuse.code = 451
  await clock.advance(2 * 3600_000 + 1000)
  await core.timetable.settled()
  t.equal((await log())['announced bo@example.org'], 'pending', 'told after quiet hours; 4xx is tried again')
  refuse.code = undefined
  await clock.advance(60_000)
  await core.timetable.settled()
  t.equal((await log())['announced bo@example.org'], 'sent')

  refuse.code = 550
  await call('POST', `dispatches/${d.id}/cancel`, { reason: 'rain' })
  await core.timetable.settled()
  t.match(await log(), { 'cancelled ada@example.org': 'failed', 'cancelled +13035550100': 'sent' })
  const failed = (await call('GET', `notices?dispatch=${d.id}`)).data.items.find((n: { state: string; to: string }) => n.state === 'failed' && n.to === 'ada@example.org')
  t.match(failed.attempts, [{ ok: false, answer: /550/ }])
  refuse.code = undefined
  t.equal((await call('POST', `notices/${failed.id}/resend`, {})).statusCode, 202)
  await core.timetable.settled()
  t.match(sink.mails.at(-1)?.data, /cancelled\. rain/)
  t.equal((await log())['cancelled ada@example.org'], 'sent')
})
