import { createHmac } from 'node:crypto'
import { createTransport } from 'nodemailer'
import { Refusal } from '#core/error.js'
import type { NoticeSenders } from '#core/notice/notice.js'
import type { Outbound } from '#core/port/outbound.js'

export interface NoticeConfig {
  /** smtp://user:password@host:587 or smtps://…; '' = no mail. */
  readonly smtpUrl: string
  readonly from: string
  /** The SMS provider's webhook, and the secret that signs what we post there. '' = no text messages. */
  readonly smsUrl: string
  readonly smsSecret: string
}

/** Mail by nodemailer over a pool of connections; a receiver that answers 5xx is refused for good, 4xx is tried again. */
function mailer(smtpUrl: string, from: string) {
  const url = new URL(smtpUrl), secure = url.protocol === 'smtps:'
  const transport = createTransport({
    pool: true, maxConnections: 2, host: url.hostname, port: Number(url.port || (secure ? 465 : 587)), secure, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000,
    ...(url.username ? { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } } : {}),
    // a password never goes over a line in clear
    ...(url.username && !secure ? { requireTLS: true } : {}), disableFileAccess: true, disableUrlAccess: true,
  })
  return {
    async send({ to, subject, text, id }: { to: string; subject: string; text: string; id: string }): Promise<string> {
      try {
        const info = await transport.sendMail({ from, to, subject, text, messageId: `<${id}@loadstone>`, headers: { 'auto-submitted': 'auto-generated' } })
        return info.response
      } catch (error) {
        const code = (error as { responseCode?: number }).responseCode
        if (code !== undefined && code >= 550) throw new Refusal('invalid', `the mail server refused: ${(error as Error).message}`, { cause: error })
        throw error
      }
    },
    close: () => transport.close(),
  }
}

/** Both ways out, as configured; `close` ends idle connections. */
export function noticeSenders(config: NoticeConfig, outbound: Outbound, nowMs: () => number): NoticeSenders & { close(): void } {
  const mail = config.smtpUrl ? mailer(config.smtpUrl, config.from) : undefined
  return {
    ...(mail ? { email: mail.send } : {}),
    ...(config.smsUrl ? {
      sms: async ({ to, text, id }) => {
        const body = JSON.stringify({ id, to, text }), t = Math.floor(nowMs() / 1000)
        const answer = await outbound.post(config.smsUrl, {
          'content-type': 'application/json', 'idempotency-key': id, 'loadstone-signature': `t=${t},v1=${createHmac('sha256', config.smsSecret).update(`${t}.${body}`).digest('hex')}`,
        }, body)
        if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) throw new Refusal('invalid', `the provider refused: ${answer.status} ${answer.body.slice(0, 200)}`)
        if (answer.status >= 300) throw new Error(`the provider answered ${answer.status} ${answer.body.slice(0, 200)}`)
        return `${answer.status} ${answer.body.slice(0, 200)}`
      },
    } : {}),
    close: () => mail?.close(),
  }
}
