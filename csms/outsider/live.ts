import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '#core/package-root.js'

/**
 * Strangers' charge points against `serve --seed conformance` over wss: PyPI's `ocpp` (given as PYTHON, an interpreter that has
 * it) and npm's ocpp-rpc, each for 1.6 and 2.0.1. Every one boots, charges, gets an event from the operator API, has it taken
 * back and stops. Prints a line for each and exits 1 when one of them missed a step.
 */
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const root = packageRoot(import.meta.url)
const python = process.argv[2]

async function lineOf(child: ChildProcess, wanted: (line: string) => boolean): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) if (wanted(line)) return line
  throw new Error('it ended before it said so')
}

interface Ready { readonly operator: string; readonly ocppTls: string; readonly pki: string; readonly operatorToken: string }

function ask(ready: Ready): (method: string, path: string, body?: object) => Promise<Record<string, unknown>> {
  return async (method, path, body) => {
    const response = await fetch(new URL(`/api/v1/${path}`, ready.operator), {
      method, headers: { authorization: `Bearer ${ready.operatorToken}`, 'content-type': 'application/json', ...(method === 'POST' ? { 'idempotency-key': path + Math.random() } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const answer = await response.json() as Record<string, unknown>
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
    return answer
  }
}

async function until<T>(what: string, question: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 120; i += 1) {
    const answer = await question()
    if (answer !== undefined) return answer
    await new Promise((later) => setTimeout(later, 250))
  }
  throw new Error(`waited too long for ${what}`)
}

/** One stranger's life; resolves with what it says of it. */
async function life(ready: Ready, id: string, command: string, args: string[]): Promise<Record<string, unknown>> {
  const api = ask(ready)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  const read = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${id} ended early`)
    return value as string
  }
  try {
    while (await read() !== 'ready');
    const start = new Date(Date.now() + 120_000).toISOString()
    const order = { program: 'conformance', power_kW: 5, start, duration: 'PT30M', scope: { resources: [id] }, reason: 'outsider' }
    // The car's power makes the EVSE available; the core hears of it a moment after the message.
    const dispatch = await until('availability', async () => api('POST', 'dispatches', order).catch((error: Error) => { if (/422/.test(error.message)) return undefined; throw error }))
    await until('accepted', async () => ((await api('GET', `dispatches/${String(dispatch.id)}/deliveries`)).items as { state: string }[]).find((d) => d.state === 'accepted'))
    await api('POST', `dispatches/${String(dispatch.id)}/cancel`, { reason: 'outsider' })
    const lived = JSON.parse(await read()) as Record<string, unknown>
    await until('transaction', async () => ((await api('GET', `stations/${id}`)).transactions as { ended: boolean; complete: boolean }[] | undefined)?.find((t) => t.ended && t.complete))
    return lived
  } finally {
    child.kill()
  }
}

const right = (lived: Record<string, unknown>, version: string): boolean => lived.subprotocol === `ocpp${version}` && ['boot', 'authorize', 'start', 'stop'].every((step) => lived[step] === 'Accepted')
  && typeof lived.profile === 'string' && typeof lived.limit === 'number' && typeof lived.validTo === 'string' && lived.cleared === true && lived.heartbeat === true

const data = mkdtempSync(join(tmpdir(), 'loadstone-outsiders-'))
const server = spawn(process.execPath, [join(root, 'build/cli/loadstone.js'), 'serve', '--seed', 'conformance', '--fresh', '--data', data], { stdio: ['ignore', 'pipe', 'inherit'] })
let failed = 0
try {
  const ready = JSON.parse(await lineOf(server, (line) => line.startsWith('{"ready"'))) as Ready
  const ca = join(ready.pki, 'tls-ca.pem'), password = (id: string): string => `loadstone-${id}-pass`
  const strangers: [string, string, string, string[]][] = ['1.6', '2.0.1'].flatMap((version, i): [string, string, string, string[]][] => {
    const [own, other] = [`CS00${i + 1}`, `CS00${i + 3}`] as [string, string]
    return [
      ...(python ? [[version, own, python, [existing('charge_point.py'), version, ready.ocppTls, own, password(own), ca]] as [string, string, string, string[]]] : []),
      [version, other, process.execPath, [here('charge-point.js'), version, ready.ocppTls, other, password(other), readFileSync(ca, 'utf8')]],
    ]
  })
  for (const [version, id, command, args] of strangers) {
    const lived = await life(ready, id, command, args).catch((error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }))
    const ok = right(lived, version)
    if (!ok) failed += 1
    process.stdout.write(`${ok ? 'ok' : 'not ok'} - OCPP ${version} ${id} ${JSON.stringify(lived)}\n`)
  }
} finally {
  server.kill('SIGTERM')
  await new Promise((over) => server.once('exit', over))
  rmSync(data, { recursive: true, force: true })
}
process.exitCode = failed > 0 ? 1 : 0

/** tsc copies no Python: it is found in the sources. */
function existing(name: string): string {
  return join(root, 'csms/outsider', name)
}
