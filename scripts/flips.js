// `npm run conformance:flips [-- RUNS [WORD…]]`: the whole set of every subject and profile again and again; what it says is in conformance/flips-whole.ts.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepare, root } from './prepare.js'

prepare()
await import(pathToFileURL(join(root, 'build', 'conformance', 'flips-whole.js')).href)
