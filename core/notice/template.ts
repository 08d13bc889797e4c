import { Refusal } from '#core/error.js'
import type { NoticeChannel, Occasion } from '#core/notice/contact.js'

export const templateKind = 'core/NoticeTemplate'

/** Words for one occasion, channel and language; `{{word}}` is filled in. A program's own comes before the general one. */
export interface NoticeTemplate {
  readonly program: string | null
  readonly occasion: Occasion
  readonly channel: NoticeChannel
  readonly language: string
  readonly subject: string
  readonly text: string
}

export const words = ['name', 'program', 'servicePoint', 'power', 'start', 'end', 'zone', 'reason', 'delivered'] as const
export type Word = (typeof words)[number]

const sentences: Readonly<Record<Occasion, { subject: string; email: string; sms: string }>> = {
  announced: {
    subject: '{{program}}: event on {{start}}',
    email: 'Hello {{name}},\n\nan event of {{program}} is planned for {{servicePoint}}: {{power}} from {{start}} to {{end}} ({{zone}}).\nYour devices follow by themselves. You can opt out at any time.\n',
    sms: '{{program}}: {{power}} from {{start}} to {{end}} {{zone}}. Devices follow by themselves.',
  },
  changed: {
    subject: '{{program}}: the event on {{start}} has changed',
    email: 'Hello {{name}},\n\nthe event of {{program}} for {{servicePoint}} is now: {{power}} from {{start}} to {{end}} ({{zone}}).\n',
    sms: '{{program}}: changed, now {{power}} from {{start}} to {{end}} {{zone}}.',
  },
  cancelled: {
    subject: '{{program}}: the event on {{start}} is cancelled',
    email: 'Hello {{name}},\n\nthe event of {{program}} from {{start}} to {{end}} ({{zone}}) for {{servicePoint}} is cancelled. {{reason}}\n',
    sms: '{{program}}: event {{start}} is cancelled.',
  },
  result: {
    subject: '{{program}}: result of the event on {{start}}',
    email: 'Hello {{name}},\n\nthank you: in the event of {{program}} from {{start}} to {{end}} ({{zone}}) {{servicePoint}} delivered {{delivered}}.\n',
    sms: '{{program}}: {{delivered}} delivered on {{start}}.',
  },
}

/** What is said while nobody has written better words. */
export const standardTemplate = (occasion: Occasion, channel: NoticeChannel): Pick<NoticeTemplate, 'subject' | 'text'> =>
  ({ subject: channel === 'email' ? sentences[occasion].subject : '', text: sentences[occasion][channel] })

/** A word that does not exist is refused when the template is written, not found by a customer. */
export function templateFault(text: string): string | undefined {
  const strange = [...text.matchAll(/\{\{\s*([^}]*?)\s*\}\}/g)].map((m) => m[1]!).filter((w) => !(words as readonly string[]).includes(w))
  return strange.length === 0 ? undefined : `has unknown words: ${strange.join(', ')}; there are ${words.join(', ')}`
}

export function fill(text: string, values: Readonly<Record<Word, string>>): string {
  return text.replaceAll(/\{\{\s*([^}]*?)\s*\}\}/g, (_, word: string) => {
    if (!Object.hasOwn(values, word)) throw new Refusal('invalid', `a template has the unknown word '${word}'`)
    // a name with line breaks would be a header of its own (SEC-047)
    // eslint-disable-next-line no-control-regex
    return values[word as Word].replaceAll(/[\u0000-\u001f\u007f]+/g, ' ')
  })
}

/** The most specific one: own program before any, own language before English. */
export function choose(templates: readonly NoticeTemplate[], want: { program: string; occasion: Occasion; channel: NoticeChannel; language: string }): Pick<NoticeTemplate, 'subject' | 'text'> {
  const rank = (t: NoticeTemplate): number => (t.program === want.program ? 2 : 0) + (t.language === want.language ? 1 : 0)
  const fitting = templates.filter((t) => t.occasion === want.occasion && t.channel === want.channel && (t.program === null || t.program === want.program) && (t.language === want.language || t.language === 'en'))
  return fitting.toSorted((a, b) => rank(b) - rank(a))[0] ?? standardTemplate(want.occasion, want.channel)
}
