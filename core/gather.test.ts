import * as fc from 'fast-check'
import t from 'tap'
import { Refusal } from '#core/error.js'
import { gather } from '#core/gather.js'

const turn = (): Promise<void> => new Promise((done) => setImmediate(done))

t.test('stack.md cache rule: what is asked in the same moment is one question; what comes meanwhile is asked after it', async (t) => {
  const rounds: number[][] = []
  let finish = (): void => {}
  const { ask } = gather<number, number>((questions) => new Promise((done) => { rounds.push([...questions]); finish = () => done(questions.map((n) => n * 10)) }))
  const early = Promise.all([1, 2, 3].map(ask))
  await turn(); await turn()
  const late = ask(4)
  await turn()
  t.same(rounds, [[1, 2, 3]], 'no answer is older than its question')
  finish()
  t.same(await early, [10, 20, 30])
  await turn()
  t.same(rounds[1], [4])
  finish()
  t.equal(await late, 40)
})

t.test('REL-025 each question gets its own answer or its own refusal, whatever the others ask', async (t) => {
  await fc.assert(fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 8 }), async (bad, most) => {
    const { ask, settled } = gather<number, string>(async (questions) => {
      if (questions.some((n) => bad[n])) throw new Error('bad')
      return questions.map((n) => `answer ${n}`)
    }, { most })
    const ends = await Promise.allSettled(bad.map((_, n) => ask(n)))
    await settled()
    t.same(ends.map((e) => (e.status === 'fulfilled' ? e.value : e.reason.message)), bad.map((no, n) => (no ? 'bad' : `answer ${n}`)))
  }), { numRuns: 200 })
})

t.test('REL-022 a database that does not answer is asked once, and again by those who come later', async (t) => {
  let asked = 0
  const { ask } = gather<number, number>(async (questions) => {
    asked += 1
    if (asked === 1) throw new Refusal('unavailable', 'the database does not answer')
    return questions
  })
  t.same((await Promise.allSettled([1, 2, 3].map(ask))).map((e) => e.status), ['rejected', 'rejected', 'rejected'])
  t.equal(asked, 1)
  t.same(await Promise.all([4, 5].map(ask)), [4, 5])
})
