import { spawn } from 'node:child_process'
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A server of the `conformance` seed on data of its own, with its ready line in a file. */
export interface SeedServer { readonly ready: string; stop(): Promise<void> }

const program = fileURLToPath(new URL('../cli/loadstone.js', import.meta.url))

/** Starts `serve --seed conformance --fresh` in `folder`, ports from `base` on; throws when it ends before it is ready. Its log is `folder/log`. */
export async function seedServer(folder: string, base: number, environment: Readonly<Record<string, string>>): Promise<SeedServer> {
  mkdirSync(folder, { recursive: true })
  const child = spawn(process.execPath, [program, 'serve', '--seed', 'conformance', '--fresh', '--data', join(folder, 'data')], { env: { ...process.env, LOADSTONE_PORT_BASE: String(base), ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((done) => { child.once('exit', done) })
  child.stderr.pipe(createWriteStream(join(folder, 'log')))
  const ready = join(folder, 'ready.json'), stop = async (): Promise<void> => { child.kill('SIGTERM'); await ended }
  let said = ''
  await new Promise<void>((done, failed) => {
    child.stdout.on('data', (data: Buffer) => {
      if (said.includes('"ready":true')) return
      said += data.toString()
      if (!said.includes('"ready":true') || !said.endsWith('\n')) return
      writeFileSync(ready, said)
      done()
    })
    void ended.then((code) => failed(new Error(`the server of ${folder} ended with ${code}; ${join(folder, 'log')} says why`)))
  })
  return { ready, stop }
}
