import type { Command } from 'commander'
import { urlWith } from '#cli/argument.js'
import type { ListenOptions } from '#cli/webhook-listen.js'
import { act, collect, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

export function registerWebhook(program: Command): void {
  const own = noun(program, 'webhook', 'receivers of events', ['webhook create https://example.org/hook --event "dispatch.*"', 'webhook test ID', 'webhook deliveries ID', 'webhook resend ID DELIVERY'])
  verb(own, 'list', 'all', 'webhook list').action((o: OperatorOptions) => act(o, (c) => c.all('/webhooks')))
  verb(own, 'create <url>', 'register one; its signing secret is shown this once', 'webhook create https://example.org/hook').option('--event <type>', 'dispatch.publish, dispatch.*, * (repeat)', collect, [])
    .action((target: string, o: OperatorOptions & { event: string[] }) => act(o, (c) => c.call('POST', '/webhooks', { url: target, ...(o.event.length > 0 ? { events: o.event } : {}) })))
  verb(own, 'deliveries <id>', 'what was sent, what came back', 'webhook deliveries ID').action((id: string, o: OperatorOptions) => act(o, (c) => c.all(`/webhooks/${id}/deliveries`)))
  verb(own, 'resend <id> <delivery>', 'send one again', 'webhook resend ID DELIVERY').action((id: string, delivery: string, o: OperatorOptions) => act(o, (c) => c.call('POST', `/webhooks/${id}/deliveries/${delivery}/resend`, {})))
  verb(own, 'resend-range <id>', 'send all of a range again, as after a receiver\'s bad hour', 'webhook resend-range ID --from 2026-07-15T14:00:00Z --to 2026-07-15T15:00:00Z --state failed').option('--from <time>', 'made at or after').option('--to <time>', 'made before').option('--state <state>', 'pending, delivered, failed')
    .action((id: string, { from, to, state, ...o }: OperatorOptions & { from?: string; to?: string; state?: string }) => act(o, (c) => c.call('POST', `/webhooks/${id}/resend`, { ...(from ? { from } : {}), ...(to ? { to } : {}), ...(state ? { state } : {}) })))
  verb(own, 'test <id>', 'send it an event of no consequence', 'webhook test ID').action((id: string, o: OperatorOptions) => act(o, (c) => c.call('POST', `/webhooks/${id}/test`, {})))
  verb(own, 'rotate <id>', 'a new secret; the old one signs along for a day', 'webhook rotate ID').action((id: string, o: OperatorOptions) => act(o, (c) => c.call('PATCH', `/webhooks/${id}`, { rotateSecret: true })))
  verb(own, 'enable <id>', 'send to it again', 'webhook enable ID').action((id: string, o: OperatorOptions) => act(o, (c) => c.call('PATCH', `/webhooks/${id}`, { state: 'active' })))
  verb(own, 'disable <id>', 'send nothing more', 'webhook disable ID').action((id: string, o: OperatorOptions) => act(o, (c) => c.call('PATCH', `/webhooks/${id}`, { state: 'disabled' })))
  own.command('listen').description('subscribe at an OpenADR VTN while this runs; print its notifications, forward them to a server of yours')
    .requiredOption('--url <url>', 'base path of the VTN', urlWith('http', 'https')).option('--revision <revision>', '3.1.1 or 3.0.1; by default as the base path says').option('--client-id <id>', 'clientID').option('--client-secret-file <file>', 'file with the secret (else LOADSTONE_VEN_SECRET)')
    .option('--ca <file>', 'roots to trust (PEM)').option('--insecure', 'do not check the VTN\'s certificate').option('--json', 'NDJSON on stdout')
    .option('--forward <url>', 'where to post each notification, e.g. http://localhost:3000/hook', urlWith('http', 'https')).option('--objects <types>', 'object types', 'EVENT,PROGRAM').option('--operations <names>', 'operations', 'CREATE,UPDATE,DELETE')
    .option('--program <id>', 'only of one program').option('--port <n>', 'port of the receiver; 0 = any', '0').option('--public-url <url>', 'https address under which the VTN reaches the receiver').option('--for <s>', 'stop after so many seconds')
    .addHelpText('before', 'Examples:\n  $ npx loadstone webhook listen --url http://localhost:8082/openadr3/3.1.1 --client-id bl_client --client-secret-file secret.txt\n  $ npx loadstone webhook listen --url https://vtn.example/openadr3/3.1.1 --client-id ven_client --forward http://localhost:3000/hook --public-url https://me.example/hook --port 4000\n')
    .action(async (o: ListenOptions) => { await (await import('#cli/webhook-listen.js')).listen(o) })
}
