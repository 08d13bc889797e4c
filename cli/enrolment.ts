import type { Command } from 'commander'
import { CliExit, exitCode } from '#cli/exit-code.js'
import { createVerb, listAndShow } from '#cli/listing.js'
import { act, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

export function registerEnrolment(program: Command): void {
  const own = noun(program, 'enrolment', 'contracts of service points with programs', ['enrolment list', 'enrolment create --set program=peak --set servicePoint=home-1', 'enrolment move ID active'])
  listAndShow(own, 'enrolment', 'enrolments', ['id', 'program', 'servicePoint', 'state', 'share', 'nominated_kW'])
  createVerb(own, 'enrolment', 'enrolments', '--set program=peak --set servicePoint=home-1')
  verb(own, 'move <id> <state>', 'one step: eligible, verified, active, suspended, withdrawn, rejected', 'enrolment move ID active --reason "test passed"')
    .option('--reason <text>', 'why')
    .action((id: string, to: string, o: OperatorOptions & { reason?: string }) => act(o, (c) => c.call('POST', `/enrolments/${id}/transitions`, { to, ...(o.reason === undefined ? {} : { reason: o.reason }) })))
  verb(own, 'bulk <file>', 'CSV, NDJSON or JSON with many rows; each row has its own result, and the same file goes on where it stopped', 'enrolment bulk customers.csv --dry-run')
    .option('--dry-run', 'what would become of each row; stores nothing')
    .action((file: string, o: OperatorOptions & { dryRun?: boolean }) => act(o, async (c) => {
      const { readFile } = await import('node:fs/promises'), type = { csv: 'text/csv', ndjson: 'application/x-ndjson', json: 'application/json' }[file.split('.').at(-1) ?? '']
      if (type === undefined) throw new CliExit(exitCode.usage, 'The file must end in .csv, .ndjson or .json.')
      const body = await readFile(file).catch((e: Error) => { throw new CliExit(exitCode.usage, `${file} cannot be read: ${e.message}`) })
      const answer = await c.send('POST', `/enrolments/bulk${o.dryRun ? '?dryRun=true' : ''}`, body, { 'content-type': type }), found = answer.body as { id?: string; rows?: number; refused?: number; byState?: object; detail?: string; items?: { row: number; state: string; reasons?: { path: string; reason: string }[] }[] }
      if (answer.status >= 400) throw new CliExit(answer.status === 401 || answer.status === 403 ? exitCode.notAuthenticated : exitCode.usage, found.detail ?? `The server answered ${answer.status}.`)
      if (o.json) return found
      for (const r of (found.items ?? []).filter((x) => x.state === 'refused').slice(0, 50)) process.stderr.write(`row ${r.row}: ${(r.reasons ?? []).map((x) => `${x.path} ${x.reason}`).join('; ')}\n`)
      return { ...(o.dryRun ? { dryRun: true } : { id: found.id }), rows: found.rows, refused: found.refused, ...found.byState }
    }))
  verb(own, 'withdraw-consent <id>', 'end it because consent is withdrawn', 'enrolment withdraw-consent ID')
    .action((id: string, o: OperatorOptions) => act(o, (c) => c.call('POST', `/enrolments/${id}/withdraw-consent`, {})))
}
