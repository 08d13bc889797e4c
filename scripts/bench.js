// `npm run bench [NAME]`: runs the benchmarks and prints one JSON line for each figure.
import { prepare, root } from './prepare.js'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

prepare()
const { runBench } = await import(pathToFileURL(join(root, 'build', 'bench', 'run.js')).href)
process.exit(await runBench(process.argv.slice(2)))
