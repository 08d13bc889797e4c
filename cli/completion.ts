import type { Command } from 'commander'
import { CliExit, exitCode } from '#cli/exit-code.js'

/** `completion bash|zsh|fish`: a script that completes nouns, verbs and flags from the command line's own description, and ids and names from the server (UX-015). */
export function registerCompletion(program: Command): void {
  const own = program.command('completion').description('print a completion script').argument('<shell>', 'bash, zsh or fish')
    .addHelpText('before', 'Examples:\n  $ source <(npx loadstone completion bash)\n  $ npx loadstone completion fish > ~/.config/fish/completions/loadstone.fish\n')
    .action((shell: string) => {
      const write = { bash, zsh, fish }[shell as 'bash']
      if (!write) throw new CliExit(exitCode.usage, `There is no completion for '${shell}'; there is bash, zsh and fish.`)
      process.stdout.write(write(words(program), askedOf(program)))
    })
  // what the scripts call: one word a line, and nothing when there is no server
  own.command('ids', { hidden: true }).description('ids or names of a collection').argument('<collection>', 'its path in the API')
    .addHelpText('before', 'Examples:\n  $ npx loadstone completion ids programs\n')
    .action(async (collection: string) => { process.stdout.write((await idsOf(collection)).map((id) => `${id}\n`).join('')) })
}

/** Each path of nouns and verbs with what may follow it. */
export function words(command: Command, path = ''): Map<string, string[]> {
  const here = [...shown(command).map((c) => c.name()), ...command.options.map((o) => o.long ?? '').filter(Boolean), '--help']
  return new Map([[path, here], ...shown(command).flatMap((c) => [...words(c, path ? `${path} ${c.name()}` : c.name())])])
}

const shown = (command: Command): Command[] => command.commands.filter((c) => !(c as unknown as { _hidden: boolean })._hidden)

/** The collection behind a noun whose verbs take an `id`, and behind arguments and options that say what they name. */
const ofNoun: Readonly<Record<string, string>> = {
  'program': 'programs', 'resource': 'resources', 'service-point': 'service-points', 'enrolment': 'enrolments', 'dispatch': 'dispatches', 'settlement': 'settlement-runs', 'dispute': 'disputes',
  'station': 'stations', 'vendor': 'vendors', 'token': 'tokens', 'webhook': 'webhooks',
}
const ofWord: Readonly<Record<string, string>> = { 'servicePoint': 'service-points', 'service-point': 'service-points', 'run': 'settlement-runs', 'statement': 'statements', 'program': 'programs', 'resource': 'resources', 'dispatch': 'dispatches' }

interface Asked {
  /** Path of nouns and verbs → collection of its first argument. */
  readonly first: ReadonlyMap<string, string>
  readonly option: ReadonlyMap<string, string>
}

function askedOf(program: Command): Asked {
  const first = new Map<string, string>()
  const look = (command: Command, path: readonly string[]): void => {
    const argument = command.registeredArguments[0]?.name(), collection = argument === 'id' || (argument === 'name' && path[1] !== 'create') ? ofNoun[path[0] ?? ''] : ofWord[argument ?? '']
    // what is made has no id yet
    if (collection !== undefined && path[1] !== 'create') first.set(path.join(' '), collection)
    for (const c of shown(command)) look(c, [...path, c.name()])
  }
  look(program, [])
  return { first, option: new Map(Object.entries(ofWord).map(([word, collection]) => [`--${word}`, collection])) }
}

/** By name where things have one. Quick, or nothing: a shell waits for it. */
async function idsOf(collection: string): Promise<string[]> {
  const token = process.env.LOADSTONE_TOKEN, url = process.env.LOADSTONE_URL ?? 'http://localhost:8080'
  if (!token) return []
  try {
    const answer = await fetch(`${url.replace(/\/$/, '')}/api/v1/${encodeURIComponent(collection)}?limit=200`, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(1500) })
    const { items = [] } = await answer.json() as { items?: { id: string; name?: string }[] }
    return items.map((i) => i.name ?? i.id).filter((word) => /^[\w.:@-]+$/.test(word))
  } catch {
    return []
  }
}

const bash = (all: Map<string, string[]>, { first, option }: Asked): string => `_loadstone() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path="" word ids=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac; done
  case "$before" in
${[...option].map(([name, collection]) => `    ${name}) ids=${collection} ;;`).join('\n')}
  esac
  [[ -n "$ids" || "$current" == -* ]] || case "$path" in
${[...first].map(([path, collection]) => `    "${path}") ids=${collection} ;;`).join('\n')}
  esac
  if [[ -n "$ids" ]]; then COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" completion ids "$ids" 2>/dev/null)" -- "$current")); [[ "$before" == -* || \${#COMPREPLY[@]} -gt 0 ]] && return; fi
  case "$path" in
${[...all].map(([path, next]) => `    "${path}") COMPREPLY=($(compgen -W "${next.join(' ')}" -- "$current")) ;;`).join('\n')}
  esac
}
complete -o default -F _loadstone loadstone
`

const zsh = (all: Map<string, string[]>, asked: Asked): string => `#compdef loadstone\nautoload -U +X bashcompinit && bashcompinit\n${bash(all, asked)}`

const fish = (all: Map<string, string[]>, { first }: Asked): string => [
  ...[...all].flatMap(([path, next]) => {
    const condition = path ? `__fish_seen_subcommand_from ${path.split(' ').at(-1)}` : '__fish_use_subcommand'
    return next.filter((n) => !n.startsWith('-')).map((n) => `complete -c loadstone -f -n '${condition}' -a '${n}'`)
  }),
  ...[...first].map(([path, collection]) => `complete -c loadstone -f -n '${path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')}' -a '(loadstone completion ids ${collection} 2>/dev/null)'`),
].join('\n').concat('\n')
