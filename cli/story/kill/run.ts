import { killedStory } from '#cli/story/kill/story.js'

/** `node build/cli/story/kill/run.js [--db URL] [--devices N] [--rate R]`: the killed story by hand or in CI; one line of JSON on stdout, exit 0 or 1. */
const flag = (name: string): string | undefined => { const i = process.argv.indexOf(name); return i < 0 ? undefined : process.argv[i + 1] }
const wrong: string[] = []
await killedStory({ db: flag('--db'), devices: Number(flag('--devices') ?? 20), rate: Number(flag('--rate') ?? 90), ports: Number(process.env.LOADSTONE_PORT_BASE ?? 27_300) }, ({ ok, text }) => {
  process.stderr.write(`${ok ? 'ok' : 'NOT OK'}  ${text}\n`)
  if (!ok) wrong.push(text)
}).catch((error: Error) => { wrong.push(error.message) })
process.stdout.write(`${JSON.stringify({ name: 'kill test', ok: wrong.length === 0, wrong })}\n`)
process.exitCode = wrong.length === 0 ? 0 : 1
