import type { Command } from 'commander'
import { CliExit, exitCode } from '#cli/exit-code.js'
import { act, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

const types: Readonly<Record<string, string>> = { csv: 'text/csv', ndjson: 'application/x-ndjson', json: 'application/json', xml: 'application/atom+xml', parquet: 'application/vnd.apache.parquet' }

export function registerReadings(program: Command): void {
  const own = noun(program, 'readings', 'interval values of service points', ['readings import meters.csv', 'readings list home-1 --from 2026-07-15T00:00:00Z'])
  verb(own, 'import <file>', 'CSV, NDJSON, JSON, Parquet or Green Button XML; all rows or none', 'readings import meters.csv')
    .option('--service-point <name>', 'whose values a file without that column (or Green Button) holds').option('--columns <map>', "somebody else's column names: start=Time,Wh=Value").option('--separator <c>', 'of the columns').option('--unit <unit>', 'Wh or kWh').option('--zone <zone>', 'for times without an offset').option('--channel <channel>', 'import or export').option('--minutes <n>', 'length of an interval').option('--preview', 'store nothing, say what would be').option('--vee', 'flag what looks wrong').option('--estimate', 'fill gaps with marked estimates that never pay').option('--mapping <name>', 'a remembered mapping').option('--remember <name>', 'keep this mapping under a name')
   .option('--format <format>', 'csv, ndjson, json or parquet; by default from the name')
    .action((file: string, o: OperatorOptions & { format?: string; servicePoint?: string; columns?: string; separator?: string; unit?: string; zone?: string; channel?: string; minutes?: string; preview?: boolean; vee?: boolean; estimate?: boolean; mapping?: string; remember?: string }) => act(o, async (c) => {
      const type = types[o.format ?? file.split('.').at(-1) ?? '']
      if (type === undefined) throw new CliExit(exitCode.usage, 'Say which form the file has: --format csv, ndjson, json or parquet.')
      const { readFile } = await import('node:fs/promises')
      const body = await readFile(file).catch((e: Error) => { throw new CliExit(exitCode.usage, `${file} cannot be read: ${e.message}`) })
      const { servicePoint, columns, separator, unit, zone, channel, minutes, preview, vee, estimate, mapping, remember } = o, query = new URLSearchParams(Object.entries({ servicePoint, columns, separator, unit, zone, channel, minutes, preview: preview ? 'true' : undefined, vee: vee ? 'true' : undefined, estimate: estimate ? 'true' : undefined, mapping, remember }).filter((p): p is [string, string] => p[1] !== undefined)).toString()
      const answer = await c.send('POST', `/readings${query ? `?${query}` : ''}`, body, { 'content-type': type })
      if (answer.status < 400) return answer.body
      const problem = answer.body as { detail?: string; rows?: { row: number; field: string; reason: string }[] }
      const rows = (problem.rows ?? []).slice(0, 50).map((r) => `  row ${r.row} ${r.field}: ${r.reason}`)
      throw new CliExit(answer.status === 401 || answer.status === 403 ? exitCode.notAuthenticated : exitCode.usage, [problem.detail ?? `The server answered ${answer.status}.`, ...rows].join('\n'))
    }))
  verb(own, 'list <servicePoint>', 'current values', 'readings list home-1 --from 2026-07-15T00:00:00Z').option('--from <time>', 'from').option('--to <time>', 'to').option('--channel <channel>', 'import or export')
    .action((servicePoint: string, o: OperatorOptions & { from?: string; to?: string; channel?: string }) => act(o, (c) => {
      const query = new URLSearchParams({ servicePoint, ...(o.from ? { from: o.from } : {}), ...(o.to ? { to: o.to } : {}), ...(o.channel ? { channel: o.channel } : {}) })
      return c.all(`/readings?${query}`)
    }))
  verb(own, 'export', 'CSV, NDJSON, Parquet or Green Button; with --scope under pseudonyms, for third parties', 'readings export --scope regulator-2026 > readings.csv').option('--service-point <name>', 'only this one').option('--from <time>', 'from').option('--to <time>', 'to').option('--format <format>', 'csv, xlsx-csv, ndjson, parquet or greenbutton', 'csv').option('--scope <name>', 'whom it is for: ids become pseudonyms that hold within this scope')
    .action((o: OperatorOptions & { servicePoint?: string; from?: string; to?: string; format: string; scope?: string }) => act(o, async (c) => {
      const query = new URLSearchParams(Object.entries({ servicePoint: o.servicePoint, from: o.from, to: o.to, format: o.format, scope: o.scope }).filter((p): p is [string, string] => p[1] !== undefined))
      if (o.format === 'parquet') return c.bytes(`/exports/readings?${query}`)
      return c.text(`/exports/readings?${query}`)
    }))
  verb(own, 'aggregate', 'energy by node, kind or program; small groups stay back (15/15 rule)', 'readings aggregate --by node --from 2026-07-14T00:00:00Z --to 2026-07-15T00:00:00Z').requiredOption('--by <what>', 'node, kind or program').requiredOption('--from <time>', 'from').requiredOption('--to <time>', 'to').option('--total', 'and the total')
    .action((o: OperatorOptions & { by: string; from: string; to: string; total?: boolean }) => act(o, (c) => c.call('POST', '/aggregates', { by: o.by, from: o.from, to: o.to, ...(o.total ? { total: true } : {}) })))
}
