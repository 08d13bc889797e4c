import type { Command } from 'commander'
import type { Log } from '#core/port/log.js'
import { CliExit, exitCode } from '#cli/exit-code.js'
import { readSettings } from '#cli/settings.js'

interface Options {
  readonly data?: string
  readonly db?: string
  readonly config?: string
  readonly json?: boolean
  readonly plan?: boolean
  readonly backup?: boolean
  readonly keyFile?: string
}

/** `db migrate|backup|restore|verify`: on the database that the settings name, joined while servers run on it or started for the time of the command. */
export function registerDb(program: Command): void {
  const db = program.command('db').description('look after the database')
    .addHelpText('before', 'Examples:\n  $ npx loadstone db backup monday.backup\n  $ npx loadstone db restore monday.backup --data ./empty\n  $ npx loadstone db verify --json\n')
  const verb = (name: string, description: string, example: string): Command => db.command(name).description(description).addHelpText('before', `Examples:\n  $ npx loadstone db ${example}\n`)
    .option('--data <dir>', 'data folder of the embedded database').option('--db <url>', 'postgresql://… instead of it').option('--config <file>', 'a loadstone.yaml').option('--json', 'one JSON document')

  const keyed = (command: Command): Command => command.option('--key-file <file>', 'file with the secret that encrypts the backup (else LOADSTONE_BACKUP_KEY)')
  keyed(verb('migrate', 'bring the tables up to date; writes a backup first, and restoring that is the way back', 'migrate --plan')).option('--plan', 'only say what would be applied').option('--no-backup', 'without the backup').action(async (options: Options) => {
    const { migrate, pending } = await import('#prisma/migrate.js')
    await withDatabase(options, async (url, log, data) => {
      const names = await pending(url)
      const file = options.plan || options.backup === false || names.length === 0 ? undefined : await backupBefore(url, data, names[0]!, await secretOf(options))
      if (!options.plan) await migrate(url, log)
      say(options, { [options.plan ? 'pending' : 'applied']: names, ...(file ? { backup: file } : {}) }, [
        ...(file ? [`backed up to ${file}`] : []), ...(names.length ? names.map((n) => `${options.plan ? 'would apply' : 'applied'} ${n}`) : ['the tables are up to date']),
      ].join('\n'))
    }, !options.plan)
  })
  keyed(verb('backup <file>', 'write everything into one file, while servers run', 'backup loadstone.backup --data ./.loadstone')).action(async (file: string, options: Options) => {
    const { backup } = await import('#prisma/archive/backup.js')
    await withDatabase(options, async (url) => {
      const secret = await secretOf(options), result = await backup(url, file, secret)
      if (secret === undefined) process.stderr.write('The backup is not encrypted: give --key-file or LOADSTONE_BACKUP_KEY.\n')
      say(options, { file, encrypted: secret !== undefined, ...result }, `${file}: ${result.rows} rows of ${result.tables} tables, ${result.bytes} bytes`)
    })
  })
  keyed(verb('restore <file>', 'fill an empty database from a backup', 'restore loadstone.backup --data ./restored')).action(async (file: string, options: Options) => {
    const { restore } = await import('#prisma/archive/restore.js')
    await withDatabase(options, async (url, log) => {
      const result = await restore(url, file, log, await secretOf(options))
      say(options, { file, ...result }, `restored ${result.rows} rows of ${result.tables} tables`)
    }, true)
  })
  verb('verify', 'read every page, check every index and every audit chain', 'verify --json').action(async (options: Options) => {
    await withDatabase(options, async (url, log) => {
      const { verifyPages } = await import('#prisma/archive/verify.js')
      const { verifyAudit } = await import('#prisma/archive/verify-audit.js')
      const pages = await verifyPages(url, log)
      const audit = pages.faults.length ? undefined : await verifyAudit(url, log)
      const faults = [...pages.faults, ...(audit?.faults ?? [])]
      const lines = [`${pages.rows} rows of ${pages.tables} tables read, ${pages.indexes === undefined ? 'indexes not checked (needs the extension amcheck)' : `${pages.indexes} indexes checked`}`]
      if (audit) lines.push(`${audit.records} audit records of ${audit.tenants} tenants checked`)
      lines.push(...faults.map((f) => `DAMAGED ${f.where}: ${f.detail}`), ...(faults.length ? ['restore a backup into an empty database: loadstone db restore FILE'] : []))
      say(options, { ok: faults.length === 0, ...pages, audit: audit ?? null, faults }, lines.join('\n'))
      if (faults.length) process.exitCode = exitCode.checksFailed
    })
  })
}

function say(options: Options, document: object, text: string): void {
  process.stdout.write(options.json ? `${JSON.stringify(document)}\n` : `${text}\n`)
}

async function secretOf({ keyFile }: Options): Promise<string | undefined> {
  if (keyFile === undefined) return process.env['LOADSTONE_BACKUP_KEY'] || undefined
  const text = await (await import('node:fs/promises')).readFile(keyFile, 'utf8').catch(() => { throw new CliExit(exitCode.usage, `${keyFile} cannot be read.`) })
  if (text.trim().length < 16) throw new CliExit(exitCode.usage, `${keyFile} holds less than 16 characters: openssl rand -hex 32 makes a key.`)
  return text.trim()
}

/** UX-075: the way back from a migration is the backup made before it; an empty database needs none. */
async function backupBefore(url: string, data: string, migration: string, secret: string | undefined): Promise<string | undefined> {
  const [{ migrationsApplied }, { backup }, { mkdir }, { join }] = await Promise.all([import('#prisma/migrate.js'), import('#prisma/archive/backup.js'), import('node:fs/promises'), import('node:path')])
  if (await migrationsApplied(url) === 0) return undefined
  await mkdir(join(data, 'backups'), { recursive: true, mode: 0o700 })
  const file = join(data, 'backups', `before-${migration}-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}.backup`)
  await backup(url, file, secret)
  return file
}

/** `make`: a data folder that is not there yet may be made; to look at nothing would find it well. */
async function withDatabase(options: Options, work: (url: string, log: Log, data: string) => Promise<void>, make = false): Promise<void> {
  const flags = { ...(options.data === undefined ? {} : { data: options.data }), ...(options.db === undefined ? {} : { databaseUrl: options.db }) }
  const { settings } = await readSettings(flags, process.env, {}, options.config)
  const { silent } = await import('#core/port/log.js')
  if (settings.databaseUrl) return await work(settings.databaseUrl, silent, settings.data)
  const { existsSync } = await import('node:fs')
  if (!make && !existsSync(settings.data)) throw new CliExit(exitCode.notFound, `There is no data folder ${settings.data}: give --data, or --db with the URL of a PostgreSQL.`)
  const { startEmbedded } = await import('#prisma/embedded.js')
  const server = await startEmbedded({ dataDir: settings.data, log: silent })
  const { holderOf } = await import('#cli/data-folder.js')
  // a server that came up meanwhile uses the database that this command started: then it stays
  try { await work(server.url, silent, settings.data) } finally { if (!holderOf(settings.data)) await server.stop() }
}
