import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import * as fc from 'fast-check'
import t from 'tap'
import { calc, registerCalc } from '#cli/calc.js'
import { kinds } from '#core/calc/registry.js'
import { packageRoot } from '#core/package-root.js'

const vectors = JSON.parse(readFileSync(join(packageRoot(), 'core/calc/core-dr-vectors.json'), 'utf8')) as { cases: { kind: string; input: unknown }[] }

t.test('UX-010 UX-012 UX-013 calc: exit codes, one sentence, the nearest kind', async (t) => {
  t.match(await calc('split', JSON.stringify(vectors.cases.find((c) => c.kind === 'split')!.input)), { exitCode: 0, stdout: /^\{"result":\{"customerPool":"70.00".*"trace":/ })
  t.match(await calc('splitt', '{}'), { exitCode: 2, stderr: /did you mean 'split'/ })
  t.match(await calc('split', ''), { exitCode: 2, stderr: /it was empty/ })
  t.match(await calc('split', '{"total":'), { exitCode: 2, stderr: /not JSON/ })
  t.match(await calc('baseline', '{"method":"CAISO"}'), { exitCode: 2, stderr: /intervalMinutes must be a number, but it is missing/ })
  const faults: [string, unknown, RegExp][] = [
    ['split', { total: '1.00', customerShare: 'x', deliveredKWh: {} }, /\/customerShare must be a decimal/], ['split', { total: '1.001', customerShare: '0.5', deliveredKWh: { a: 1 } }, /minor units/],
    ['allocate-merit', { target_W: 1.5, assets: [] }, /\/target_W must be a whole number/], ['avail-ev', [{ soc: 1 }], /\/0\/s must be a number/], ['audit', { records: [{ a: 1.5 }] }, /integers and strings/],
    ['baseline-dst', { method: 'CAISO_10IN10', timeZone: 'Mars/Base', history: {} }, /not an IANA time zone/], ['baseline', null, /must be an object/], ['settlement-flexorder', [], /must be an object/],
    ['baseline', { method: 'NOPE', intervalMinutes: 60, eventDay: '2025-07-23', eventLocalHours: [1, 2], history: {} }, /no baseline method 'NOPE'/], ['baseline', { intervalMinutes: 60, eventDay: '2025-02-30', eventLocalHours: [1, 2] }, /not a date/],
    ['baseline', { method: 'CAISO_10IN10', intervalMinutes: 60, eventDay: '2025-07-23', eventLocalHours: [1, 2], history: { '2025-07-22': [1] } }, /must have 24 values/],
    ['split', { total: '1', customerShare: '0.5', currency: 'dollar', deliveredKWh: {} }, /ISO 4217/], ['kpi', { dispatched: '1e' }, /must be a/],
  ]
  for (const [kind, input, sentence] of faults) t.match(await calc(kind, JSON.stringify(input)), { exitCode: 2, stderr: sentence }, `${kind} ${sentence}`)
  const fuzz = fc.asyncProperty(fc.constantFrom(...kinds.map((k) => k.kind)), fc.jsonValue(), async (kind, value) => [0, 2].includes((await calc(kind, JSON.stringify(value))).exitCode))
  await fc.assert(fuzz, { numRuns: 300 })
})

t.test('UX-013 a vector with any one member spoiled is read or refused, never thrown', async (t) => {
  for (const c of vectors.cases) {
    const members = Array.isArray(c.input) ? ['0'] : Object.keys(c.input as object)
    for (const name of members) {
      for (const bad of [null, 'x', -1, 0, [], {}, [null], 1e308]) {
        const input = structuredClone(c.input) as Record<string, unknown>
        input[name] = bad
        const answer = await calc(c.kind, JSON.stringify(input)).catch((error: unknown) => error)
        if (answer instanceof Error) t.fail(`${c.kind} ${name}=${JSON.stringify(bad)}: ${answer.stack}`)
      }
    }
  }
})

t.test('contract §2 calc is registered with an example and knows every kind of the vectors and three more', async (t) => {
  const program = new Command()
  registerCalc(program)
  t.match(program.commands.map((c) => c.name()), ['calc'])
  let help = ''
  program.commands[0]!.configureOutput({ writeOut: (text) => { help += text } }).outputHelp()
  t.match(help, /Examples:/)
  const named = new Set(kinds.map((k) => k.kind))
  t.same([...new Set(vectors.cases.map((c) => c.kind)), 'baseline-dst', 'rerun', 'settlement-bonus'].filter((k) => !named.has(k)), [])
})
