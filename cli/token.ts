import type { Command } from 'commander'
import { numberFrom } from '#cli/argument.js'
import { act, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

export function registerToken(program: Command): void {
  const own = noun(program, 'token', 'tokens of people and programs', ['token create viewer --user vera --expires 3600', 'token list', 'token revoke ID'])
  verb(own, 'list', 'all, without their secrets', 'token list').action((o: OperatorOptions) => act(o, (c) => c.all('/tokens')))
  verb(own, 'create <role>', 'create one; its secret is shown this once', 'token create viewer --user vera --expires 3600').option('--user <name>', 'who; different users are different people for two-person rules').option('--expires <seconds>', 'life', numberFrom(1))
    .action((role: string, o: OperatorOptions & { user?: string; expires?: string }) =>
      act(o, (c) => c.call('POST', '/tokens', { role, ...(o.user ? { user: o.user } : {}), ...(o.expires ? { expiresIn_s: Number(o.expires) } : {}) })))
  verb(own, 'revoke <id>', 'revoke at once', 'token revoke ID').action((id: string, o: OperatorOptions) => act(o, (c) => c.call('DELETE', `/tokens/${id}`)))
}
