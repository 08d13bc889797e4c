import { Command } from 'commander'
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
import { exitCodesHelp } from '#cli/exit-code.js'
import { version } from '#main/version.js'

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
  program.command('exit-codes', { hidden: true }).description('what each exit code means').addHelpText('before', 'Examples:\n  $ npx loadstone help exit-codes\n').action(() => { process.stdout.write(exitCodesHelp) })
  return program
}
