#!/usr/bin/env node
import { CommanderError, type Command } from 'commander'
import { commandLine } from '#cli/command-line.js'
import { codeOf, exitCode, exitCodesHelp } from '#cli/exit-code.js'

/** Every command ends here: usage errors are 2 and an error is one sentence, never a stack unless asked (UX-013). */
async function run(argv: readonly string[]): Promise<number> {
  const program = commandLine()
  const strict = (command: Command, path: string): void => {
    command.exitOverride().showHelpAfterError(`'npx ${path} --help' shows examples.`)
    for (const c of command.commands) strict(c, `${path} ${c.name()}`)
  }
  strict(program, 'loadstone')
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
