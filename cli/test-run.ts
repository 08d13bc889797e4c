import { Command } from 'commander'
import { registerOperator } from '#cli/operator.js'

/** Runs one command line of the operator API in this process; stdout is captured, an error comes back. */
export async function run(args: readonly string[]): Promise<{ out: string; bytes: Buffer; error: unknown }> {
  const program = new Command('loadstone').exitOverride(), write = process.stdout.write
  program.configureOutput({ writeErr: () => {} })
  registerOperator(program)
  const strict = (c: Command): void => {
    c.exitOverride().configureOutput({ writeErr: () => {} })
    c.commands.forEach(strict)
  }
  strict(program)
  let out = '', error: unknown
  const parts: Buffer[] = []
  process.stdout.write = ((text: string | Buffer) => {
    out += String(text)
    parts.push(Buffer.from(text))
    return true
  }) as typeof process.stdout.write
  try { await program.parseAsync(['node', 'loadstone', ...args]) } catch (e) { error = e } finally { process.stdout.write = write }
  return { out, bytes: Buffer.concat(parts), error }
}
