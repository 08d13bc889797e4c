import type { Command } from 'commander'
import { act, bodyFrom, collect, verb, type OperatorOptions } from '#cli/operator-noun.js'

type Any = Record<string, unknown>
const pick = (fields: readonly string[]) => (item: Any): Any => Object.fromEntries(fields.map((f) => [f, item[f]]))

/** `NOUN list` and `NOUN show ID`, the same for every collection of the API. */
export function listAndShow(parent: Command, name: string, path: string, fields: readonly string[]): void {
  verb(parent, 'list', `all of them`, `${name} list`)
    .action((o: OperatorOptions) => act(o, async (c) => {
      const items = await c.all<Any>(`/${path}`)
      return o.json ? items : items.map(pick(fields))
    }))
  verb(parent, 'show <id>', 'one, by id or name', `${name} show ${path === 'programs' ? 'peak' : 'ID'}`)
    .action((id: string, o: OperatorOptions) => act(o, (c) => c.call('GET', `/${path}/${encodeURIComponent(id)}`)))
}

/** `NOUN create --file body.json --set name=value`. */
export function createVerb(parent: Command, name: string, path: string, example: string): void {
  verb(parent, 'create', 'create one', `${name} create ${example}`)
    .option('--file <file>', 'JSON body, - for stdin').option('--set <name=value>', 'one field; a.b=1 goes deeper', collect, [])
    .action((o: OperatorOptions & { file?: string; set: string[] }) => act(o, async (c) => c.call('POST', `/${path}`, await bodyFrom(o))))
}

/** `NOUN change ID --set name=value [--if-version N]`. */
export function changeVerb(parent: Command, name: string, path: string, example: string): void {
  verb(parent, 'change <id>', 'change fields of one', `${name} change ${example}`)
    .option('--file <file>', 'JSON body, - for stdin').option('--set <name=value>', 'one field; a.b=1 goes deeper', collect, []).option('--if-version <n>', 'refuse if it has moved on')
    .action((id: string, o: OperatorOptions & { file?: string; set: string[]; ifVersion?: string }) =>
      act(o, async (c) => c.call('PATCH', `/${path}/${encodeURIComponent(id)}`, await bodyFrom(o), o.ifVersion === undefined ? {} : { 'if-match': `"${o.ifVersion}"` })))
}
