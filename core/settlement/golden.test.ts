import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { hashOf } from '#core/audit/note.js'
import { packageRoot } from '#core/package-root.js'
import { calculate, type RunInput } from '#core/settlement/run.js'

interface Golden { readonly settledWith: string; readonly input: RunInput; readonly inputHash: string; readonly result: unknown; readonly resultHash: string }

const folder = join(packageRoot(), 'core/settlement/golden')

// A file here is never changed: it is what some version paid. A new component of the rules is a new file.
for (const name of readdirSync(folder)) {
  t.test(`REL-083 ${name}: a settlement of years ago comes out byte for byte`, async (t) => {
    const kept = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Golden
    t.equal(hashOf(kept.input), kept.inputHash, 'the inputs are the ones that were frozen')
    const now = calculate(kept.input)
    t.equal(JSON.stringify(now), JSON.stringify(kept.result))
    t.equal(hashOf(now), kept.resultHash)
  })
}
