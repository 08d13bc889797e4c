import type { Command } from 'commander'
import { listAndShow } from '#cli/listing.js'
import { act, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

export function registerSettlement(program: Command): void {
  const own = noun(program, 'settlement', 'settlement runs and statements', ['settlement run --program peak --from 2026-07-01 --to 2026-08-01', 'settlement approve ID', 'settlement statements ID'])
  listAndShow(own, 'settlement', 'settlement-runs', ['id', 'program', 'from', 'to', 'runNumber', 'state', 'revenue', 'customerPool', 'aggregator', 'currency'])
  verb(own, 'run', 'calculate a program and period', 'settlement run --program peak --from 2026-07-01 --to 2026-08-01')
    .requiredOption('--program <name>', 'program').requiredOption('--from <time>', 'first instant or local day').requiredOption('--to <time>', 'end').option('--reason <text>', 'why')
    .action((o: OperatorOptions & { program: string; from: string; to: string; reason?: string }) =>
      act(o, (c) => c.call('POST', '/settlement-runs', { program: o.program, from: o.from, to: o.to, ...(o.reason ? { reason: o.reason } : {}) })))
  for (const [name, what] of [['approve', 'approve, as another user than the one who calculated'], ['issue', 'issue the statements and post the ledger']] as const)
    verb(own, `${name} <id>`, what, `settlement ${name} ID`).action((id: string, o: OperatorOptions) => act(o, (c) => c.call('POST', `/settlement-runs/${id}/${name}`, {})))
  verb(own, 'statements <run>', 'statements of a run', 'settlement statements ID').action((run: string, o: OperatorOptions) => act(o, async (c) => {
    const items = await c.all<Record<string, unknown>>(`/statements?run=${encodeURIComponent(run)}`)
    return o.json ? items : items.map(({ id, servicePoint, delivered_kWh, amount, delta, currency }) => ({ id, servicePoint, delivered_kWh, amount, delta, currency }))
  }))
  verb(own, 'lineage', 'from a statement to everything behind it, or from a reading to everything made of it (CORE-236)', 'settlement lineage --statement ID')
    .option('--statement <id>', 'a statement').option('--line <dispatch>', 'only this line').option('--reading <point/start/channel>', 'a reading: home-1/2026-07-15T22:00:00Z/import')
    .action((o: OperatorOptions & { statement?: string; line?: string; reading?: string }) => act(o, (c) => c.call('GET', `/lineage?${new URLSearchParams(Object.entries({ statement: o.statement, line: o.line, reading: o.reading }).filter((p): p is [string, string] => p[1] !== undefined))}`)))
  verb(own, 'page <statement>', 'the statement as a page to print (HTML on stdout)', 'settlement page ID > statement.html')
    .action((id: string, o: OperatorOptions) => act(o, (c) => c.text(`/statements/${encodeURIComponent(id)}`, { accept: 'text/html' })))
  verb(own, 'ledger', 'sum of every account; the whole is zero', 'settlement ledger').action((o: OperatorOptions) => act(o, (c) => c.call('GET', '/ledger/trial-balance')))
}
