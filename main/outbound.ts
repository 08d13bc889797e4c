import { longestCrl, revocationUrls } from '#certs/index.js'
import { noticeSendTask, noticeTask } from '#core/notice/notice.js'
import { noticeSenders } from '#core/notice/senders.js'
import type { CoreNeeds } from '#core/assemble.js'
import { guardedPost } from '#core/webhook/guarded-post.js'
import { webhookTask } from '#core/webhook/webhook.js'
import type { Certificates } from '#main/certificates.js'
import type { BuildOptions, Closing } from '#main/shape.js'
import { addressRule } from '#vtn/webhook/address.js'

/** Which addresses this server may speak to (SEC-060). A demo and the conformance seed may reach this machine. */
const ruleOf = ({ settings, seed }: BuildOptions): ReturnType<typeof addressRule> =>
  addressRule([...(seed === undefined ? [] : ['127.0.0.0/8', '::1', 'localhost']), ...settings.webhookAllow.split(',').map((s) => s.trim()).filter((s) => s !== '')])

/** OCSP responders and revocation lists are on plain http by custom, as what they say is signed (OCPP-216, M07). */
export function revocationFetches(options: BuildOptions, closing: Closing, own?: Certificates['revocation']): { ocspFetch(url: string, request: Buffer): Promise<Buffer>; crlFetch(url: string): Promise<Buffer> } {
  const outbound = guardedPost({ allows: ruleOf(options).allows, allowHttp: true }), { ocspUrl, crlUrl } = revocationUrls(own?.url)
  closing.add('OCSP and revocation lists', () => outbound.close())
  const good = ({ status, body }: { status: number; body: Buffer }): Buffer => {
    if (status !== 200) throw new Error(`the answer was ${status}`)
    return body
  }
  return {
    // what a certificate of our own says of where to ask is this very process
    ocspFetch: async (url, request) => url === ocspUrl && own ? own.ocsp(request) : good(await outbound.postBytes(url, { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' }, request)),
    crlFetch: async (url) => url === crlUrl && own ? own.crl('ocpp') : good(await outbound.getBytes(url, { accept: 'application/pkix-crl' }, longestCrl)),
  }
}

/** What leaves the server by the timetable: operator webhooks and notices to customers, past one guard (SEC-060); a demo and the conformance seed over plain http too. */
export function outboundTasks(options: BuildOptions, closing: Closing): NonNullable<CoreNeeds['tasks']> {
  const { settings, clock, seed } = options
  const outbound = guardedPost({ allows: ruleOf(options).allows, allowHttp: seed !== undefined })
  const senders = noticeSenders({ smtpUrl: settings.smtpUrl, from: settings.smtpFrom, smsUrl: settings.smsUrl, smsSecret: settings.smsSecret }, outbound, () => clock.nowMs())
  closing.add('receivers of webhooks and notices', async () => {
    senders.close()
    await outbound.close()
  })
  return (transact) => ({ 'webhook': webhookTask(transact, outbound), 'notice': noticeTask(transact), 'notice-send': noticeSendTask(transact, senders) })
}
