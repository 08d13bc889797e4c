import type { Command } from 'commander'
import { readSettings } from '#cli/settings.js'

/** `config show|check`: every setting, its value and where it came from; secrets masked (UX-017). */
export function registerConfig(program: Command): void {
  const config = program.command('config').description('the configuration and where each value comes from')
  config.command('show').description('print every setting')
    .option('--config <file>', 'a loadstone.yaml to read')
    .option('--json', 'one JSON document')
    .addHelpText('before', 'Examples:\n  $ loadstone config show\n  $ LOADSTONE_VTN_PORT=9081 loadstone config show --json\n')
    .action(async (options: { config?: string; json?: boolean }) => {
      const { resolved } = await readSettings({}, process.env, {}, options.config)
      const rows = resolved.map((r) => ({
        key: r.setting.key, variable: r.setting.variable, value: r.setting.secret && r.value ? '********' : r.value, origin: r.origin, meaning: r.setting.meaning,
      }))
      if (options.json) process.stdout.write(`${JSON.stringify({ settings: rows })}\n`)
      else for (const row of rows) process.stdout.write(`${row.variable.padEnd(26)} ${String(row.value === '' ? '(unset)' : row.value).padEnd(24)} ${row.origin.padEnd(12)} ${row.meaning}\n`)
    })
  config.command('check').description('check before start; exit 2 with every fault at once')
    .option('--config <file>', 'a loadstone.yaml to read')
    .addHelpText('before', 'Examples:\n  $ loadstone config check --config /etc/loadstone.yaml\n')
    .action(async (options: { config?: string }) => {
      await readSettings({}, process.env, {}, options.config)
      process.stdout.write('The configuration can be used.\n')
    })
}
