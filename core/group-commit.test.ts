import * as fc from 'fast-check'
import t from 'tap'
import { Refusal } from '#core/error.js'
import { groupCommit } from '#core/group-commit.js'

const turn = (): Promise<void> => new Promise((done) => setImmediate(done))

t.test('REL-020, CORE-102 what is said in the same moment is committed together, in order, and acknowledged after its commit', async (t) => {
  const flushed: number[][] = []
  let finish = (): void => {}
  const commits = groupCommit<number>((items) => new Promise((done) => { flushed.push([...items]); finish = done }), { most: 3 })
  const done: number[] = [], all = [1, 2, 3, 4].map((n) => commits.add(n).then(() => done.push(n)))
  await turn(); await turn()
  t.same(flushed, [[1, 2, 3]])
  all.push(commits.add(5).then(() => done.push(5)))
  t.same(done, [], 'nobody is told before the commit')
  finish(); await turn()
  t.same(done, [1, 2, 3])
  t.same(flushed[1], [4, 5])
  finish()
  await Promise.all(all)
  await commits.settled()
  t.same(done, [1, 2, 3, 4, 5])
})

t.test('REL-025 a bad item takes nobody with it; a database that does not answer is asked once', async (t) => {
  await fc.assert(fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 8 }), async (bad, most) => {
    const kept: number[] = []
    const commits = groupCommit<number>(async (items) => {
      if (items.some((n) => bad[n])) throw new Error('bad')
      kept.push(...items)
    }, { most })
    const ends = await Promise.allSettled(bad.map((_, n) => commits.add(n)))
    t.same(ends.map((e) => e.status === 'rejected'), bad)
    t.same(kept, bad.flatMap((no, n) => (no ? [] : [n])), 'each once, in order')
  }), { numRuns: 200 })
  let asked = 0
  const gone = groupCommit<number>(async () => { asked++; throw new Refusal('unavailable', 'the database does not answer') })
  t.same((await Promise.allSettled([1, 2, 3].map((n) => gone.add(n)))).map((e) => e.status), ['rejected', 'rejected', 'rejected'])
  t.equal(asked, 1)
})
