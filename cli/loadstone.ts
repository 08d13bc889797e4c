#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { registerCalc } from '#cli/calc.js'
import { registerCa } from '#cli/ca.js'
import { registerCert } from '#cli/cert.js'
import { registerCompletion } from '#cli/completion.js'
import { registerConfig } from '#cli/config.js'
import { registerConformance } from '#cli/conformance.js'
import { registerDb } from '#cli/db.js'
import { registerDoctor } from '#cli/doctor.js'
import { registerOperator } from '#cli/operator.js'
import { registerServe } from '#cli/serve.js'
import { registerSim } from '#cli/sim.js'
import { registerUp } from '#cli/up.js'
import { registerVen } from '#cli/ven.js'
import { codeOf, exitCode, exitCodesHelp } from '#cli/exit-code.js'

/** The whole command line, one noun a file; each file loads what it runs only when it runs. */
export function commandLine(): Command {
  const program = new Command('loadstone')
  program
    .description('One flexibility server for OpenADR 3, IEEE 2030.5/CSIP and OCPP.')
    .version(version(), '-V, --version')
    .option('--debug', 'show the stack of an error')
    .option('--no-color', 'no colour (NO_COLOR and TERM=dumb do the same)')
    .showSuggestionAfterError(true)
    .enablePositionalOptions()
    .addHelpText('beforeAll', '')
    .addHelpText('before', 'Examples:\n  $ npx loadstone up                         the main job, with a demo fleet\n  $ npx loadstone serve --data ./data         every server, no demo\n  $ npx loadstone calc split < case.json      one calculation\n')
    .addHelpText('after', '\nExit codes: loadstone help exit-codes')
  for (const register of [registerUp, registerServe, registerSim, registerVen, registerCa, registerCert, registerCalc, registerDb, registerConfig, registerConformance, registerDoctor, registerOperator, registerCompletion]) register(program)
  program.command('exit-codes', { hidden: true }).action(() => { process.stdout.write(exitCodesHelp) })
  return program
}

function version(): string {
  return process.env.npm_package_version ?? '0.1.0'
}

/** Every command ends here: usage errors are 2 and an error is one sentence, never a stack unless asked (UX-013). */
export async function run(argv: readonly string[]): Promise<number> {
  const program = commandLine()
  const strict = (command: Command): void => { command.exitOverride(); command.commands.forEach(strict) }
  strict(program)
  if (argv[2] === 'help' && argv[3] === 'exit-codes') { process.stdout.write(exitCodesHelp); return exitCode.done }
  try {
    await program.parseAsync(argv as string[])
    return Number(process.exitCode ?? exitCode.done)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage
    report(error, argv.includes('--debug'))
    return codeOf(error)
  }
}

function report(error: unknown, debug: boolean): void {
  const e = error as Error & { faults?: readonly { path: string; reason: string }[] }
  process.stderr.write(`loadstone: ${e.message}\n`)
  for (const fault of e.faults ?? []) process.stderr.write(`  ${fault.path}: ${fault.reason}\n`)
  if (debug) process.stderr.write(`${e.stack}\n`)
}

process.exitCode = await run(process.argv)
