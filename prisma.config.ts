import { defineConfig } from 'prisma/config'
// generate, validate and format run in wasm; only migrate and db would need the downloaded engine.
if (!process.argv.some((a) => a === 'migrate' || a === 'db')) process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.LOADSTONE_DATABASE_URL ?? 'postgresql://unset' },
})
