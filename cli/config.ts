import type { Command } from 'commander'
import { readSettings, type Variables } from '#cli/settings.js'

/** `config show|check`: every setting, its value and where it came from; secrets masked (UX-017). */
export function registerConfig(program: Command): void {
  const config = program.command('config').description('the configuration and where each value comes from')
    .addHelpText('before', 'Examples:\n  $ npx loadstone config show\n  $ npx loadstone config check --config loadstone.yaml\n')
  config.command('show').description('print every setting')
    .option('--config <file>', 'a loadstone.yaml to read')
    .option('--json', 'one JSON document')
    .addHelpText('before', 'Examples:\n  $ npx loadstone config show\n  $ LOADSTONE_VTN_PORT=9081 npx loadstone config show --json\n')
    .action(async (options: { config?: string; json?: boolean }) => {
      const { resolved, environment } = await readSettings({}, process.env, {}, options.config)
      const rows = [
        ...resolved.map((r) => ({ key: r.setting.key, variable: r.setting.variable, value: r.setting.secret && r.value ? masked : r.value, origin: r.origin, meaning: r.setting.meaning })),
        ...await switches(environment, resolved.map((r) => r.setting.variable)),
      ]
      if (options.json) process.stdout.write(`${JSON.stringify({ settings: rows })}\n`)
      else for (const row of rows) process.stdout.write(`${row.variable.padEnd(26)} ${String(row.value === '' ? '(unset)' : row.value).padEnd(24)} ${row.origin.padEnd(12)} ${row.meaning}\n`)
    })
  config.command('check').description('check before start; exit 2 with every fault at once')
    .option('--config <file>', 'a loadstone.yaml to read').option('--json', 'one JSON document')
    .addHelpText('before', 'Examples:\n  $ npx loadstone config check --config /etc/loadstone.yaml\n')
    .action(async (options: { config?: string; json?: boolean }) => {
      const { environment } = await readSettings({}, process.env, {}, options.config)
      await switches(environment, [])
      const telemetry = (await import('#main/telemetry/config.js')).telemetryConfig(process.env), signals = { traces: telemetry?.traces?.url ?? null, metrics: telemetry?.metrics?.url ?? null }
      process.stdout.write(options.json ? `${JSON.stringify({ ok: true, telemetry: signals })}\n` : `The configuration can be used.\n${Object.entries(signals).map(([what, url]) => (url ? `${what} go to ${url}\n` : '')).join('')}`)
    })
}

const masked = '********'

/** The doors' own switches that somebody has thrown; every one that cannot be read is told as a start would tell it. */
async function switches(environment: Variables, listed: readonly string[]): Promise<{ key: string; variable: string; value: unknown; origin: string; meaning: string }[]> {
  const names = (await import('#main/door-settings.js')).doorVariables(environment)
  return [...names].filter((name) => environment[name] && !listed.includes(name)).sort().map((name) => ({
    key: name, variable: name, value: /SECRET|PASSWORD|KEY$/.test(name) ? masked : environment[name], origin: process.env[name] ? 'environment' : 'file', meaning: 'a switch of one door: see its page',
  }))
}
