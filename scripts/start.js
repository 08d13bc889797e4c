// `npm start`: installs and builds what is missing, then runs the main job (`loadstone up`) in this same process.
import { prepare, root } from './prepare.js'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`loadstone: Node ${process.versions.node} is too old; install Node 20.19 or newer (24 LTS is best).\n`)
  process.exit(1)
}
process.env.LOADSTONE_STARTED_AT ??= String(Date.now())
prepare()
const program = join(root, 'build', 'cli', 'loadstone.js')
process.argv = [process.argv[0], program, 'up', ...process.argv.slice(2)]
await import(pathToFileURL(program).href)
