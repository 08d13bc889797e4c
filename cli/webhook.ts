import type { Command } from 'commander'
import { act, collect, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

export function registerWebhook(program: Command): void {
  const own = noun(program, 'webhook', 'receivers of events', ['webhook create https://example.org/hook --event "dispatch.*"', 'webhook deliveries ID', 'webhook resend ID DELIVERY'])
  verb(own, 'list', 'all', 'webhook list').action((o: OperatorOptions) => act(o, (c) => c.all('/webhooks')))
  verb(own, 'create <url>', 'register one; its signing secret is shown this once', 'webhook create https://example.org/hook').option('--event <type>', 'dispatch.publish, dispatch.*, * (repeat)', collect, [])
    .action((target: string, o: OperatorOptions & { event: string[] }) => act(o, (c) => c.call('POST', '/webhooks', { url: target, ...(o.event.length > 0 ? { events: o.event } : {}) })))
  verb(own, 'deliveries <id>', 'what was sent, what came back', 'webhook deliveries ID').action((id: string, o: OperatorOptions) => act(o, (c) => c.all(`/webhooks/${id}/deliveries`)))
  verb(own, 'resend <id> <delivery>', 'send one again', 'webhook resend ID DELIVERY').action((id: string, delivery: string, o: OperatorOptions) => act(o, (c) => c.call('POST', `/webhooks/${id}/deliveries/${delivery}/resend`, {})))
  verb(own, 'rotate <id>', 'a new secret; the old one signs along for a day', 'webhook rotate ID').action((id: string, o: OperatorOptions) => act(o, (c) => c.call('PATCH', `/webhooks/${id}`, { rotateSecret: true })))
  verb(own, 'disable <id>', 'send nothing more', 'webhook disable ID').action((id: string, o: OperatorOptions) => act(o, (c) => c.call('PATCH', `/webhooks/${id}`, { state: 'disabled' })))
}
