import { noticeSendTask, noticeTask } from '#core/notice/notice.js'
import { noticeSenders } from '#core/notice/senders.js'
import type { CoreNeeds } from '#core/assemble.js'
import { guardedPost } from '#core/webhook/guarded-post.js'
import { webhookTask } from '#core/webhook/webhook.js'
import type { BuildOptions, Closing } from '#main/shape.js'
import { addressRule } from '#vtn/webhook/address.js'

/** What leaves the server by the timetable: operator webhooks and notices to customers, past one guard (SEC-060). A demo and the conformance seed may reach this machine, over plain http too. */
export function outboundTasks({ settings, clock, seed }: BuildOptions, closing: Closing): NonNullable<CoreNeeds['tasks']> {
  const home = seed === undefined ? [] : ['127.0.0.0/8', '::1', 'localhost']
  const rule = addressRule([...home, ...settings.webhookAllow.split(',').map((s) => s.trim()).filter((s) => s !== '')])
  const outbound = guardedPost({ allows: rule.allows, allowHttp: seed !== undefined })
  const senders = noticeSenders({ smtpUrl: settings.smtpUrl, from: settings.smtpFrom, smsUrl: settings.smsUrl, smsSecret: settings.smsSecret }, outbound, () => clock.nowMs())
  closing.add('receivers of webhooks and notices', async () => {
    senders.close()
    await outbound.close()
  })
  return (transact) => ({ 'webhook': webhookTask(transact, outbound), 'notice': noticeTask(transact), 'notice-send': noticeSendTask(transact, senders) })
}
