import { resource } from '#core/describe/resource.js'
import { ListLink, listOf, may, sequence, SubscribableIdentifiedObject } from '#csip-server/wire/base.js'
import { Event } from '#csip-server/wire/event.js'
import { LocaleType, oneOf, optional, PrimacyType, String, String20 } from '#csip-server/wire/simple-types.js'

export const TextMessage = resource('TextMessage', '2030.5-2018 messaging; SEP-200', sequence({
  ...Event,
  originator: optional(String20()),
  priority: oneOf(0, 3),
  textMessage: String(),
}), { href: '/msg/{msg}/txt/{txt}', methods: may('GET') })

export const TextMessageList = listOf(TextMessage, '2030.5-2018 messaging; SEP-200', { href: '/msg/{msg}/txt', methods: may('GET'), subscribable: true })

export const ActiveTextMessageList = listOf(TextMessage, '2030.5-2018 messaging; SEP-200', { href: '/msg/{msg}/acttxt', methods: may('GET'), subscribable: true })

export const MessagingProgram = resource('MessagingProgram', '2030.5-2018 messaging; SEP-200', sequence({
  ...SubscribableIdentifiedObject,
  ActiveTextMessageListLink: optional(ListLink),
  locale: LocaleType(),
  primacy: PrimacyType(),
  TextMessageListLink: optional(ListLink),
}), { href: '/msg/{msg}', methods: may('GET') })

export const MessagingProgramList = listOf(MessagingProgram, '2030.5-2018 messaging; SEP-200', { href: '/msg', methods: may('GET'), subscribable: true, pollRate: true })

export const AssignedMessagingProgramList = listOf(MessagingProgram, '2030.5-2018 messaging; SEP-200', { href: '/edev/{edev}/fsa/{fsa}/msg', methods: may('GET'), subscribable: true, pollRate: true })
