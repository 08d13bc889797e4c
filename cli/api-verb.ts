import type { Command } from 'commander'
import { act, bodyFrom, collect, confirm, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

type Any = Record<string, unknown>

/** One route of the operator API as a verb. Arguments are the path's parameters, options its query, the body comes from --file and --set. */
export interface ApiVerb {
  readonly verb: string
  readonly does: string
  readonly route: `${'GET' | 'POST' | 'PATCH' | 'DELETE'} ${string}`
  /** What stands after the verb in the example. */
  readonly example?: string
  /** Query parameters, in the API's names. */
  readonly query?: readonly string[]
  /** Columns for people; a list is asked page by page. Without: one document. */
  readonly columns?: readonly string[]
  readonly body?: boolean
  /** It moves devices: it asks first, or needs --yes (UX-016). */
  readonly asks?: string
}

export interface ApiNoun {
  readonly noun: string
  readonly about: string
  readonly verbs: readonly ApiVerb[]
}

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)
const exampleOf = (n: string, v: ApiVerb): string => `${n} ${v.verb}${v.example === undefined ? '' : ` ${v.example}`}`

/** Adds the verbs to their nouns, which may be there already. */
export function registerApi(program: Command, nouns: readonly ApiNoun[]): void {
  for (const n of nouns) {
    const own = program.commands.find((c) => c.name() === n.noun) ?? noun(program, n.noun, n.about, n.verbs.slice(0, 3).map((v) => exampleOf(n.noun, v)))
    for (const v of n.verbs) add(own, n.noun, v)
  }
}

function add(own: Command, name: string, v: ApiVerb): void {
  const [method, path] = v.route.split(' ') as ['GET' | 'POST' | 'PATCH' | 'DELETE', string], params = [...path.matchAll(/:(\w+)/g)].map((m) => m[1]!)
  const command = verb(own, [v.verb, ...params.map((p) => `<${p}>`)].join(' '), v.does, exampleOf(name, v))
  for (const q of v.query ?? []) command.option(`--${kebab(q)} <${q}>`, 'only these')
  if (v.body) command.option('--file <file>', 'JSON body, - for stdin').option('--set <name=value>', 'one field; a.b=1 goes deeper', collect, []).option('--if-version <n>', 'refuse if it has moved on')
  if (v.asks !== undefined) command.option('--yes', 'do not ask')
  command.action((...given: unknown[]) => {
    const o = given[params.length] as OperatorOptions & Record<string, string> & { file?: string; set: string[]; yes?: boolean }
    const filled = params.reduce((at, p, i) => at.replace(`:${p}`, encodeURIComponent(String(given[i]))), `/${path}`)
    const query = new URLSearchParams((v.query ?? []).flatMap((q): [string, string][] => (o[q] === undefined ? [] : [[q, String(o[q])]]))).toString(), asked = `${filled}${query === '' ? '' : `?${query}`}`
    return act(o, async (c) => {
      if (v.columns) {
        const items = await c.all<Any>(asked)
        return o.json ? items : items.map((item) => Object.fromEntries(v.columns!.map((f) => [f, item[f]])))
      }
      const body = v.body ? await bodyFrom(o) : method === 'POST' || method === 'PATCH' ? {} : undefined
      if (v.asks !== undefined) await confirm(v.asks, String(given[0] ?? body?.['offer'] ?? name), o.yes)
      return await c.call(method, asked, body, o.ifVersion === undefined ? {} : { 'if-match': `"${o.ifVersion}"` }) ?? { done: true }
    })
  })
}
