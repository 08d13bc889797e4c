import type { Command } from 'commander'

export interface CalcAnswer {
  readonly exitCode: 0 | 2
  readonly stdout?: string
  readonly stderr?: string
}

/** Edits that turn one word into another (Levenshtein): the nearest name is what was meant (UX-010). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}

/** One calculation: text in, text out. Data too thin is a result; input that cannot be read is wrong usage (exit 2). */
export async function calc(kind: string, inputText: string): Promise<CalcAnswer> {
  const [{ kinds, kindOf }, { Reader }, { isRefusal }] = await Promise.all([import('#core/calc/registry.js'), import('#core/calc/read.js'), import('#core/error.js')])
  const found = kindOf(kind)
  if (!found) {
    const nearest = [...kinds].sort((a, b) => distance(kind, a.kind) - distance(kind, b.kind))[0]!
    return refuse(`no calculation '${kind}'; did you mean '${nearest.kind}'? 'loadstone calc --list' shows all ${kinds.length}`)
  }
  let value: unknown
  try {
    value = JSON.parse(inputText)
  } catch (error) {
    return refuse(inputText.trim() === '' ? `calc ${kind} reads JSON from standard input, but it was empty` : `the input is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  try {
    return { exitCode: 0, stdout: `${JSON.stringify(found.run(new Reader(value)))}\n` }
  } catch (error) {
    if (!isRefusal(error)) throw error
    return refuse(`calc ${kind}: ${error.message}. It reads ${found.reads}`)
  }
}

const refuse = (sentence: string): CalcAnswer => ({ exitCode: 2, stderr: `${sentence}\n` })

async function readAll(stream: AsyncIterable<Buffer | string>): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(Buffer.from(part))
  return Buffer.concat(parts).toString('utf8')
}

export function registerCalc(program: Command): void {
  program.command('calc').argument('[kind]', 'kind of calculation').option('--list', 'names every kind and what it reads')
    .summary('one calculation of the core: JSON in, JSON out')
    .description('one calculation: reads one JSON value from standard input, prints {"result": …, "trace": …}')
    .addHelpText('before', 'Examples:\n  $ npx loadstone calc split < input.json\n  $ npx loadstone calc --list\n')
    .action(async (kind: string | undefined, options: { list?: boolean }) => {
      if (options.list || kind === undefined) {
        const { kinds } = await import('#core/calc/registry.js')
        const lines = kinds.map((k) => `${k.kind.padEnd(24)}${k.reads}\n`).join('')
        if (options.list) process.stdout.write(lines)
        else process.stderr.write(`calc needs a kind:\n${lines}`)
        process.exitCode = options.list ? 0 : 2
        return
      }
      const answer = await calc(kind, await readAll(process.stdin))
      if (answer.stdout) process.stdout.write(answer.stdout)
      if (answer.stderr) process.stderr.write(answer.stderr)
      process.exitCode = answer.exitCode
    })
}
