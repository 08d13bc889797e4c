import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { join, dirname } from 'node:path'
import { projectRoot } from '#prisma/migrate.js'

/** What is still missing between the SQL of all migrations and schema.prisma, as SQL: empty when they agree. Development and tests only. */
export async function drift(migrations: readonly string[]): Promise<string> {
  // Imported here: these are development packages, absent in production.
  const { PGlite } = await import('@electric-sql/pglite')
  const { PrismaPGlite } = await import('pglite-prisma-adapter')
  const { bindMigrationAwareSqlAdapterFactory } = await import('@prisma/driver-adapter-utils')
  const lite = await PGlite.create()
  try {
    for (const sql of migrations) await lite.exec(sql)
    const SchemaEngine = await (engine ??= loadEngine())
    const path = join(projectRoot(), 'prisma', 'schema.prisma')
    const files = [{ path, content: readFileSync(path, 'utf8') }]
    const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPGlite(lite))
    const differ = await SchemaEngine.new({ datamodels: files.map((f): [string, string] => [f.path, f.content]) }, () => {}, adapter)
    try {
      const answer = await differ.diff({
        from: { tag: 'schemaDatasource', files, configDir: dirname(path) }, to: { tag: 'schemaDatamodel', files }, script: true, exitCode: null,
        filters: { externalTables: [], externalEnums: [] },
      })
      return (answer.stdout ?? '').replace('-- This is an empty migration.', '').trim()
    } finally { differ.free() }
  } finally { await lite.close() }
}

/** Once a process: the glue keeps views into one instance's memory. */
let engine: ReturnType<typeof loadEngine> | undefined

/** The package's own entry imports a .wasm file, which Node 20 cannot: instantiate it by hand. */
async function loadEngine(): Promise<typeof import('@prisma/schema-engine-wasm').SchemaEngine> {
  const entry = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg') as unknown as typeof import('@prisma/schema-engine-wasm') & { __wbg_set_wasm(exports: unknown): void }
  const bytes = readFileSync(join(dirname(entry), 'schema_engine_bg.wasm'))
  // The compiler knows Node's types only, and those leave WebAssembly to the browser's.
  const { WebAssembly } = globalThis as unknown as { WebAssembly: { instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: unknown } }> } }
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(instance.exports)
  ;(instance.exports as { __wbindgen_start(): void }).__wbindgen_start()
  return glue.SchemaEngine
}

/** `node --conditions=source --import=tsx prisma/drift.ts`: prints the SQL that the next migration needs. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { readMigrations } = await import('#prisma/migrate.js')
  process.stdout.write(`${await drift(readMigrations().map((m) => m.sql))}\n`)
}
