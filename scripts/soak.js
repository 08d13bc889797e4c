// `npm run soak -- [MINUTES]`: a server under churn for a long time; what it says is in bench/soak.ts.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { prepare, root } from './prepare.js'

prepare()
await import(pathToFileURL(join(root, 'build', 'bench', 'soak.js')).href)
