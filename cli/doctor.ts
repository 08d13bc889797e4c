import type { Command } from 'commander'
import { readSettings, doorPorts } from '#cli/settings.js'

/** One line of `doctor`: what was looked at, and how to mend it when it is not well. */
export interface Finding { readonly name: string; readonly ok: boolean; readonly detail: string; readonly fix?: string }

/** `doctor`: clock, ports, certificates, database, disk, versions; each failed line has a fix (UX-018). */
export function registerDoctor(program: Command): void {
  program.command('doctor').description('look at everything a server needs; each failed line says how to mend it')
    .option('--config <file>', 'a loadstone.yaml').option('--data <dir>', 'data folder').option('--json', 'one JSON document')
    .addHelpText('before', 'Examples:\n  $ npx loadstone doctor\n  $ npx loadstone doctor --json | jq .findings\n')
    .action(async (options: { config?: string; data?: string; json?: boolean }) => {
      const { settings } = await readSettings(options.data ? { data: options.data } : {}, process.env, {}, options.config)
      const findings = [node(), clock(), memory(await import('node:os')), await names(settings.names), ...(await ports(doorPorts(settings, ['operator', 'vtn', 'csip', 'est', 'csms']), settings.data)), await disk(settings.data), await database(settings.databaseUrl, settings.data), ...(await certificates(settings.data))]
      if (options.json) process.stdout.write(`${JSON.stringify({ findings })}\n`)
      else for (const f of findings) process.stdout.write(`${f.ok ? 'ok  ' : 'FAIL'} ${f.name.padEnd(14)} ${f.detail}${f.ok || !f.fix ? '' : `\n     → ${f.fix}`}\n`)
      process.exitCode = findings.every((f) => f.ok) ? 0 : 3
    })
}

/** End of life of Node's release lines (nodejs/Release schedule). */
const endOfLife: Readonly<Record<number, string>> = { 18: '2025-04-30', 20: '2026-04-30', 22: '2027-04-30', 24: '2028-04-30' }

export function node(version = process.versions.node, today = new Date().toISOString().slice(0, 10)): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) return { name: 'node', ok: false, detail: `Node ${version} is too old`, fix: 'install Node 24 LTS' }
  const ended = endOfLife[major]
  return { name: 'node', ok: true, detail: `Node ${version}${ended !== undefined && today > ended ? `, past its end of life (${ended}); Node 24 LTS is recommended` : ''}` }
}

/** A clock that stands before this program was made makes every certificate not yet valid. */
export function clock(nowMs = Date.now()): Finding {
  const ok = nowMs > Date.UTC(2026, 10, 1) && nowMs < Date.UTC(2100, 0, 1)
  return { name: 'clock', ok, detail: new Date(nowMs).toISOString(), fix: 'set the clock of this machine (chrony, systemd-timesyncd): TLS and every order go by it' }
}

/** The names that stand in our certificates have to lead somewhere. */
async function names(list: string): Promise<Finding> {
  const { lookup } = await import('node:dns/promises')
  const wanted = ['localhost', ...list.split(',').map((n) => n.trim()).filter(Boolean)]
  const found = await Promise.all(wanted.map((name) => Promise.race([lookup(name).then(() => true, () => false), new Promise<boolean>((done) => { setTimeout(() => done(false), 3000).unref() })])))
  const missing = wanted.filter((_, i) => !found[i])
  return { name: 'dns', ok: missing.length === 0, detail: missing.length ? `${missing.join(', ')} cannot be resolved` : `${wanted.join(', ')} can be resolved`, fix: 'add the name to DNS or /etc/hosts, or take it out of LOADSTONE_NAMES' }
}

const memory = (os: typeof import('node:os')): Finding => {
  const free = Math.round(os.freemem() / 2 ** 20)
  return { name: 'memory', ok: free > 512, detail: `${free} MB free`, fix: 'free at least 512 MB' }
}

/** A port that our own server holds is well: it is named with its process. */
async function ports(wanted: readonly number[], folder: string): Promise<Finding[]> {
  const { holderOf } = await import('#cli/data-folder.js')
  const { createServer } = await import('node:net')
  const free = (port: number): Promise<boolean> => new Promise((done) => {
    const probe = createServer().once('error', () => done(false)).listen(port, '127.0.0.1', () => probe.close(() => done(true)))
  })
  return Promise.all(wanted.map(async (port): Promise<Finding> => {
    const holder = holderOf(folder, port)
    if (holder) return { name: `port ${port}`, ok: true, detail: `held by ${holder}` }
    const open = await free(port)
    return { name: `port ${port}`, ok: open, detail: open ? 'free' : 'taken by another program', fix: 'stop what listens there, or set LOADSTONE_PORT_BASE' }
  }))
}

async function disk(folder: string): Promise<Finding> {
  const { statfsSync, existsSync } = await import('node:fs')
  const s = statfsSync(existsSync(folder) ? folder : '.')
  const free = Math.round((s.bavail * s.bsize) / 2 ** 20)
  return { name: 'disk', ok: free > 1024, detail: `${free} MB free for ${folder}`, fix: 'free at least 1 GB, or choose another LOADSTONE_DATA' }
}

async function database(url: string, folder: string): Promise<Finding> {
  const { existsSync } = await import('node:fs')
  if (!url) return { name: 'database', ok: true, detail: existsSync(folder) ? `embedded, in ${folder}` : 'embedded; made at the first start' }
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  try {
    await client.connect()
    const { rows } = await client.query<{ now: Date; version: string }>(`select now() as now, current_setting('server_version') as version`)
    const skew = Math.abs((rows[0] as { now: Date }).now.getTime() - Date.now())
    return { name: 'database', ok: skew < 2000, detail: `PostgreSQL ${rows[0]?.version}, its clock differs by ${skew} ms`, fix: 'synchronise both clocks (chrony, systemd-timesyncd)' }
  } catch (error) {
    return { name: 'database', ok: false, detail: (error as Error).message || 'no answer', fix: 'start PostgreSQL 15 or newer, and check LOADSTONE_DATABASE_URL' }
  } finally {
    await client.end().catch(() => {})
  }
}

async function certificates(folder: string): Promise<Finding[]> {
  const { existsSync, readdirSync, readFileSync } = await import('node:fs')
  const { X509Certificate } = await import('node:crypto')
  const pki = `${folder}/pki`
  if (!existsSync(pki)) return [{ name: 'certificates', ok: true, detail: 'none yet; made at the first start' }]
  const read = (file: string): import('node:crypto').X509Certificate => new X509Certificate(readFileSync(`${pki}/${file}`))
  return readdirSync(pki).filter((f) => /^(tls|server|ocpp).*\.pem$/.test(f)).map((file): Finding => {
    const certificate = read(file), days = Math.floor((Date.parse(certificate.validTo) - Date.now()) / 86_400_000)
    const above = certificate.subject !== undefined && certificate.checkIssued(certificate) ? file : file === 'server.pem' ? 'mica.pem' : file.startsWith('tls') ? 'tls-ca.pem' : 'ocpp-ca.pem'
    const chained = existsSync(`${pki}/${above}`) && certificate.verify(read(above).publicKey)
    if (!chained) return { name: file, ok: false, detail: `was not signed by ${above}`, fix: `put the right ${above} back, or take ${file} away: it is made anew at the next start or SIGHUP` }
    return { name: file, ok: days > 14, detail: `chain holds, ${days} days left`, fix: `take ${pki}/${file} away: it is made anew at the next start or SIGHUP` }
  })
}
