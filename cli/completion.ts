import type { Command } from 'commander'
import { CliExit, exitCode } from '#cli/exit-code.js'

/** `completion bash|zsh|fish`: a script that completes nouns, verbs and flags from the command line's own description (UX-015). */
export function registerCompletion(program: Command): void {
  program.command('completion').description('print a completion script').argument('<shell>', 'bash, zsh or fish')
    .addHelpText('before', 'Examples:\n  $ source <(loadstone completion bash)\n  $ loadstone completion fish > ~/.config/fish/completions/loadstone.fish\n')
    .action((shell: string) => {
      const write = { bash, zsh, fish }[shell as 'bash']
      if (!write) throw new CliExit(exitCode.usage, `There is no completion for '${shell}'; there is bash, zsh and fish.`)
      process.stdout.write(write(words(program)))
    })
}

/** Each path of nouns and verbs with what may follow it. */
export function words(command: Command, path = ''): Map<string, string[]> {
  const here = [...command.commands.filter((c) => !(c as unknown as { _hidden: boolean })._hidden).map((c) => c.name()), ...command.options.map((o) => o.long ?? '').filter(Boolean), '--help']
  return new Map([[path, here], ...command.commands.flatMap((c) => [...words(c, path ? `${path} ${c.name()}` : c.name())])])
}

const bash = (all: Map<string, string[]>): string => `_loadstone() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac; done
  case "$path" in
${[...all].map(([path, next]) => `    "${path}") COMPREPLY=($(compgen -W "${next.join(' ')}" -- "$current")) ;;`).join('\n')}
  esac
}
complete -o default -F _loadstone loadstone
`

const zsh = (all: Map<string, string[]>): string => `#compdef loadstone\nautoload -U +X bashcompinit && bashcompinit\n${bash(all)}`

const fish = (all: Map<string, string[]>): string => [...all].flatMap(([path, next]) => {
  const condition = path ? `__fish_seen_subcommand_from ${path.split(' ').at(-1)}` : '__fish_use_subcommand'
  return next.filter((n) => !n.startsWith('-')).map((n) => `complete -c loadstone -f -n '${condition}' -a '${n}'`)
}).join('\n').concat('\n')
