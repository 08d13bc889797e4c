import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createSerca, indefinite, serialFrom } from '#certs/authority.js'
import { certificatePem } from '#certs/x509/pem.js'
import { keySigner, newEcKey } from '#certs/x509/signer.js'
import { packageRoot } from '#core/package-root.js'

/** What each device of the command line says of a server that is not there, as a process at a shell. */
const folder = mkdtempSync(join(tmpdir(), 'dead-server-')), program = join(packageRoot(), 'build', 'cli', 'loadstone.js')
const key = newEcKey(), validity = { fromMs: Date.UTC(2020, 0, 1), toMs: indefinite }
const own = await createSerca({ serial: serialFrom(randomBytes(16).toString('hex')), subject: [{ CN: ['device'] }], validity }, keySigner(key))
writeFileSync(join(folder, 'own.pem'), certificatePem(own.certificate))
writeFileSync(join(folder, 'own.key'), key.export({ type: 'pkcs8', format: 'pem' }))
/** Takes connections and never says a word. */
const mute = createServer(() => {}).listen(0, '127.0.0.1')
await once(mute, 'listening')
const nobody = '127.0.0.1:1', quiet = `127.0.0.1:${(mute.address() as AddressInfo).port}`
t.teardown(() => { mute.close(); rmSync(folder, { recursive: true, force: true }) })

async function loadstone(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, env: { ...env, LOADSTONE_VEN_SECRET: 's' } })
  t.teardown(() => child.kill('SIGKILL'))
  let out = '', err = ''
  child.stdout.on('data', (d: Buffer) => { out += String(d) })
  child.stderr.on('data', (d: Buffer) => { err += String(d) })
  const [code] = await once(child, 'close') as [number | null]
  return { code, out, err }
}

t.test('UX-012 UX-013 a server that is not there: exit 7, in time, saying which one and what to do', async (t) => {
  const inverter = ['--cert', 'own.pem', '--key', 'own.key', '--ca', 'own.pem'], station = ['--password', 'p']
  const table: [string, string[]][] = [
    [`http://${nobody}/openadr3/3.1.1`, ['ven', 'events', '--client-id', 'v']], [`http://${nobody}/openadr3/3.1.1`, ['ven', 'run', '--client-id', 'v', '--for', '1']],
    [`http://${quiet}/openadr3/3.1.1`, ['ven', 'run', '--client-id', 'v', '--for', '1']],
    [`http://${nobody}/openadr3/3.1.1`, ['sim', 'ven', '--for', '1']], [`http://${quiet}/openadr3/3.1.1`, ['sim', 'ven', '--for', '1']],
    [`https://${nobody}/dcap`, ['sim', 'inverter', '--for', '1', ...inverter]], [`https://${quiet}/dcap`, ['sim', 'inverter', '--for', '1', ...inverter]],
    [`ws://${nobody}/ocpp`, ['sim', 'charger', '--for', '1', ...station]], [`ws://${quiet}/ocpp`, ['sim', 'charger', '--for', '1', '--count', '3', ...station]],
  ]
  await Promise.all(table.map(async ([url, command]) => {
    const { code, out, err } = await loadstone(...command, '--url', url), what = `${command.slice(0, 2).join(' ')} ${url}`
    t.equal(code, 7, `${what}: ${err}`)
    t.match(err.trim().split('\n').at(-1), new RegExp(`${url.replace(/\/dcap$/, '').replace('https://', '')}.*Is it running, and is the URL right\\?`), what)
    t.equal(out, '', what)
    t.notMatch(err, /at .*\.js:\d+/, `${what}: no stack`)
  }))
})
