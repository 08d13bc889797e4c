// A conformance run of our own against the demo's VTN, past a proxy that may plant one fault: a real report with a real failure.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './harness.mjs'

/** Quick ones, of three verdicts: passed, partial, not applicable. */
const only = ['vtn.auth.*', 'vtn.program.create', 'vtn.unique.program', 'vtn.ven.create', 'vtn.notifiers', 'vtn.mqtt.deliver']
const victim = 'vtn.program.create'

/** The VTN, but answering 200 to one procedure's new program, where 201 is meant. */
async function proxied(port) {
  let faulty = false
  const server = createServer((q, a) => {
    const asked = []
    q.on('data', (c) => asked.push(c)).on('end', () => {
      const body = Buffer.concat(asked), wrong = faulty && q.method === 'POST' && q.url.endsWith('/programs') && body.includes(victim)
      const on = request({ host: '127.0.0.1', port, method: q.method, path: q.url, headers: q.headers }, (r) => {
        a.writeHead(wrong && r.statusCode === 201 ? 200 : r.statusCode, r.headers)
        r.pipe(a)
      })
      on.on('error', () => a.destroy()).end(body)
    })
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return { url: `http://127.0.0.1:${server.address().port}/openadr3/3.1.1`, plant: () => { faulty = true }, close: () => { server.closeAllConnections(); server.close() } }
}

/** Two reports with their evidence: before the fault is planted, and after. */
export async function twoReports(api, base) {
  const folder = mkdtempSync(join(tmpdir(), 'console-report-')), file = (name) => join(folder, name), clients = ['bl', 'ven', 'ven2'].map((name) => ({ name, clientID: `console-${name}-${Date.now()}`, role: name === 'bl' ? 'BL' : 'VEN' }))
  const made = await api.post('/openadr/clients', clients.map(({ clientID, role }) => ({ clientID, role }))), list = made.items ?? made
  const values = Object.fromEntries(clients.flatMap(({ name, clientID }) => [[`${name}_id`, clientID], [`${name}_secret`, list.find((c) => c.clientID === clientID).clientSecret]]))
  writeFileSync(file('target.json'), JSON.stringify({ profile: '3.1.1', capabilities: ['authenticating', 'token-endpoint'], values }), { mode: 0o600 })
  const there = await proxied(Number(new URL(base).port) + 2)
  const run = (name) => new Promise((done, fail) => {
    const child = spawn(process.execPath, ['build/cli/loadstone.js', 'conformance', 'run', 'vtn', '--only', ...only, '--target', there.url, '--config', file('target.json'), '--json', file(`${name}.json`), '--evidence', file(`${name}.evidence.json`)], { cwd: root, stdio: 'ignore' })
    child.once('error', fail).once('exit', (code) => done({ name, code, path: file(`${name}.json`), evidence: file(`${name}.evidence.json`), report: JSON.parse(readFileSync(file(`${name}.json`), 'utf8')) }))
  })
  try {
    const before = await run('last-night')
    there.plant()
    return { before, after: await run('tonight'), notOne: file('target.json'), secrets: Object.entries(values).filter(([k]) => k.endsWith('_secret')).map(([, v]) => v), clean: () => rmSync(folder, { recursive: true, force: true }) }
  } finally {
    there.close()
    for (const { clientID } of clients) await api.call('DELETE', `/openadr/clients/${clientID}`)
  }
}
