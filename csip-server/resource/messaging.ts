import { eventBehaviours } from '#csip-server/event-behaviour.js'
import type { EventKind } from '#csip-server/program-events.js'
import { groupPrograms, removeAll } from '#csip-server/resource/program.js'

/** SEP-200: several texts may be active at once. */
export const textMessages: EventKind = {
  kind: 'csip/TextMessage',
  parent: (params) => params.msg ?? '',
  slot: 'txt',
  href: (params) => `/msg/${params.msg ?? ''}/txt/${params.txt ?? ''}`,
  controls: () => ['textMessage'],
  replyTo: '/rsps/msg/rsp',
  neverSuperseded: true,
  latestFirst: true,
}

export const messagingPrograms = groupPrograms('csip/MessagingProgram', 'msg', removeAll('csip/TextMessage'))
export const { item: textMessage, list: textMessageList, active: activeTextMessageList } = eventBehaviours(textMessages, 'csip/MessagingProgram', async () => {})
