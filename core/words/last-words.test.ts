import t from 'tap'
import { LastWords } from '#core/words/last-words.js'

const asked = (at: number, request: string, answer: string | Buffer, body?: object) => ({ at, request, status: 200, answer, ...(body ? { body } : {}) })

t.test('UX-049 last words both ways', async (t) => {
  await t.test('UX-049 newest first, the answer above its question', async (t) => {
    const words = new LastWords()
    words.add('t', 'openadr', 'ven-1', asked(1000, 'GET /programs', '[]'))
    words.add('t', 'openadr', 'ven-1', { at: 2000, request: 'POST /reports', body: { reportName: 'r' }, status: 201, answer: '{"id":"1"}' })
    words.add('t', 'openadr', 'ven-2', asked(3000, 'GET /programs', '[]'))
    t.same(words.of('t', 'openadr', 'ven-1'), [
      { at: '1970-01-01T00:00:02.000Z', direction: 'out', text: '201\n{"id":"1"}', times: 1 }, { at: '1970-01-01T00:00:02.000Z', direction: 'in', text: 'POST /reports\n{"reportName":"r"}', times: 1 },
      { at: '1970-01-01T00:00:01.000Z', direction: 'out', text: '200\n[]', times: 1 }, { at: '1970-01-01T00:00:01.000Z', direction: 'in', text: 'GET /programs', times: 1 },
    ])
    t.same(words.of('t', 'ieee2030_5', 'ven-1'), [])
  })

  await t.test('UX-049 polling does not push out what was said once; an unchanged answer is counted, the last two different ones stay', async (t) => {
    const words = new LastWords()
    words.add('t', 'ieee2030_5', 'L', { at: 0, request: 'POST /rsp', body: Buffer.from('<Response/>'), status: 201 })
    for (let i = 1; i <= 500; i++) words.add('t', 'ieee2030_5', 'L', asked(i, 'GET /tm', Buffer.from(`<Time>${i}</Time>`)))
    for (let i = 1; i <= 500; i++) words.add('t', 'ieee2030_5', 'L', asked(600 + i, 'GET /derp', Buffer.from('<DERProgramList/>')))
    const said = words.of('t', 'ieee2030_5', 'L')
    t.same(said.filter((w) => w.direction === 'out').map((w) => [w.text, w.times]), [['200\n<DERProgramList/>', 500], ['200\n<Time>500</Time>', 1], ['200\n<Time>499</Time>', 1], ['201', 1]])
    t.equal(said.at(-1)?.text, 'POST /rsp\n<Response/>')
  })

  await t.test('SEC-061 callback credentials and PINs are masked', async (t) => {
    const words = new LastWords()
    words.add('t', 'openadr', 'v', { at: 1, request: 'POST /subscriptions', body: { objectOperations: [{ bearerToken: 'canary"1' }] }, status: 201, answer: Buffer.from('<Registration><pIN>111115</pIN></Registration>') })
    const text = JSON.stringify(words.of('t', 'openadr', 'v'))
    t.notMatch(text, /canary|111115/)
    t.match(text, /\*\*\*/)
  })

  await t.test('UX-049 memory is bounded: whoever was longest unheard is forgotten', async (t) => {
    const words = new LastWords(50_000)
    for (let i = 0; i < 1000; i++) words.add('t', 'openadr', `ven-${i}`, asked(i, 'GET /events', 'x'.repeat(1000)))
    t.same(words.of('t', 'openadr', 'ven-0'), [])
    t.equal(words.of('t', 'openadr', 'ven-999').length, 2)
    words.add('t', 'openadr', 'long', asked(1, 'GET /x', 'y'.repeat(10_000)))
    t.equal(words.of('t', 'openadr', 'long')[0]?.text.length, 4097, 'cut where it was cut')
  })
})
