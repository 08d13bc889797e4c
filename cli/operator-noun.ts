import type { Command } from 'commander'
import type { OperatorClient } from '#cli/client.js'
import { CliExit, exitCode } from '#cli/exit-code.js'

export interface OperatorOptions {
  readonly url: string
  readonly token?: string
  readonly json?: boolean
}

/** A noun over the operator API: its examples stand first in the help (UX-010). */
export function noun(program: Command, name: string, description: string, examples: readonly string[]): Command {
  return program.command(name).description(description).addHelpText('before', `Examples:\n${examples.map((e) => `  $ npx loadstone ${e}`).join('\n')}\n`)
}

/** A verb with the options that every one has; flag before environment (UX-017). */
export function verb(parent: Command, usage: string, description: string, example: string): Command {
  return parent.command(usage).description(description)
    .option('--url <url>', 'operator door (LOADSTONE_URL)', process.env.LOADSTONE_URL ?? 'http://localhost:8080')
    .option('--token <token>', 'bearer token (LOADSTONE_TOKEN)')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('before', `Examples:\n  $ npx loadstone ${example}\n`)
}

/** Runs a verb with a client that is closed afterwards; what it returns is printed. */
export async function act(options: OperatorOptions, work: (client: OperatorClient) => Promise<unknown>): Promise<void> {
  const token = options.token ?? process.env.LOADSTONE_TOKEN
  if (!token) throw new CliExit(exitCode.notAuthenticated, 'No token: give --token or set LOADSTONE_TOKEN. The first one of a server stands in operator.token of its data folder.')
  if (!URL.canParse(options.url) || !/^https?:\/\//i.test(options.url)) throw new CliExit(exitCode.usage, `--url (or LOADSTONE_URL) begins with http:// or https://, not '${options.url}'.`)
  const { operatorClient } = await import('#cli/client.js')
  const client = operatorClient(options.url, token)
  try {
    print(await work(client), options.json === true)
  } finally {
    await client.close()
  }
}

/** Dangerous verbs ask for a name; without a terminal they need --yes (UX-016). */
export async function confirm(question: string, expected: string, yes: boolean | undefined): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY) throw new CliExit(exitCode.usage, `This needs --yes where nobody can be asked: ${question}`)
  const { createInterface } = await import('node:readline/promises')
  const ask = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await ask.question(`${question}\nType ${expected} to go on: `)
  ask.close()
  if (answer.trim() !== expected) throw new CliExit(exitCode.refused, 'Not confirmed; nothing was done.')
}

/** `key=value` pairs and a file of JSON make a body: `--set timeZone=UTC --file program.json`. */
export async function bodyFrom(options: { file?: string; set?: readonly string[] }): Promise<Record<string, unknown>> {
  const body: Record<string, unknown> = {}
  if (options.file !== undefined) {
    const { readFile } = await import('node:fs/promises')
    const text = options.file === '-' ? await stdin() : await readFile(options.file, 'utf8').catch((e: Error) => { throw new CliExit(exitCode.usage, `${options.file} cannot be read: ${e.message}`) })
    try { Object.assign(body, JSON.parse(text)) } catch { throw new CliExit(exitCode.usage, `${options.file} is not JSON.`) }
  }
  for (const pair of options.set ?? []) {
    const at = pair.indexOf('=')
    if (at < 1) throw new CliExit(exitCode.usage, `--set wants name=value, got '${pair}'.`)
    put(body, pair.slice(0, at).split('.'), value(pair.slice(at + 1)))
  }
  return body
}

function put(into: Record<string, unknown>, path: readonly string[], what: unknown): void {
  const [first, ...rest] = path
  if (first === undefined || first === '__proto__' || first === 'constructor') throw new CliExit(exitCode.usage, 'That is not a field.')
  if (rest.length === 0) into[first] = what
  else put((into[first] ??= {}) as Record<string, unknown>, rest, what)
}

const value = (text: string): unknown => {
  try { return JSON.parse(text) } catch { return text }
}

async function stdin(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin) text += String(chunk)
  return text
}

export const collect = (one: string, all: string[]): string[] => [...all, one]

/** A table for people, one document for machines, also where people get a page or a CSV (UX-011). */
export function print(result: unknown, json: boolean): void {
  if (Buffer.isBuffer(result) && !json) process.stdout.write(result)
  else if (Buffer.isBuffer(result)) process.stdout.write(`${JSON.stringify(result.toString('base64'))}
`)
  else if (typeof result === 'string' && !json) process.stdout.write(result)
  else if (json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else if (Array.isArray(result)) process.stdout.write(`${table(result as Record<string, unknown>[])}\n`)
  else process.stdout.write(`${Object.entries((result ?? {}) as object).map(([k, v]) => `${k.padEnd(20)} ${cell(v)}`).join('\n')}\n`)
}

// a device's name may hold escape sequences: they are shown, not obeyed (SEC-047)
const cell = (v: unknown): string => (v === null || v === undefined ? '' : typeof v === 'object' ? JSON.stringify(v) : String(v)).replaceAll(/\p{Cc}/gu, '?')

function table(rows: readonly Record<string, unknown>[]): string {
  if (rows.length === 0) return 'nothing'
  const names = Object.keys(rows[0]!).filter((n) => rows.some((r) => r[n] === null || typeof r[n] !== 'object')), width = (n: string): number => Math.min(40, Math.max(n.length, ...rows.map((r) => cell(r[n]).length)))
  const line = (of: (n: string) => string): string => names.map((n) => of(n).slice(0, 40).padEnd(width(n))).join('  ').trimEnd()
  return [line((n) => n), ...rows.map((r) => line((n) => cell(r[n])))].join('\n')
}
