import type { NotifierTopicsResponse } from '#vtn/wire/notifier.js'

/** OA-137: names of topics. Levels are counted so that the `+` of one set matches no topic of another. */
export const topicSets = {
  programs: () => 'programs',
  program: (id: string) => `programs/${id}`,
  events: () => 'events',
  programEvents: (programID: string) => `events/programs/${programID}`,
  reports: () => 'reports',
  subscriptions: () => 'subscriptions',
  vens: () => 'vens',
  resources: () => 'resources',
  ven: (venID: string) => `vens/${venID}`,
  venEvents: (venID: string) => `events/vens/${venID}`,
  venPrograms: (venID: string) => `programs/vens/${venID}`,
  venResources: (venID: string) => `resources/vens/${venID}`,
} as const

export type Operation = 'create' | 'update' | 'delete'
const operations: ReadonlySet<string> = new Set(['create', 'update', 'delete', '+'])

/** OA-136: no CREATE for a single program or ven; ALL always. */
export function topicsOf(prefix: string, set: string, single: boolean): NotifierTopicsResponse {
  const at = (op: string): string => `${prefix}${set}/${op}`
  return { topics: { ...(single ? {} : { CREATE: at('create') }), UPDATE: at('update'), DELETE: at('delete'), ALL: at('+') } }
}

/** What a topic or subscription pattern asks for; undefined when it is none of ours or wider than one set. */
export interface Asked {
  readonly whose: 'all' | 'ven' | 'program'
  /** venID for 'ven'. */
  readonly id: string
}

export function askedBy(prefix: string, pattern: string): Asked | undefined {
  if (!pattern.startsWith(prefix)) return undefined
  const levels = pattern.slice(prefix.length).split('/')
  const op = levels.pop() ?? ''
  if (!operations.has(op) || levels.some((l) => l === '+' || l === '#' || l === '')) return undefined
  const [first, second, third, ...more] = levels
  if (more.length || first === undefined) return undefined
  if (second === 'vens' && third !== undefined && ['events', 'programs', 'resources'].includes(first)) return { whose: 'ven', id: third }
  if (first === 'vens' && second !== undefined && third === undefined) return { whose: 'ven', id: second }
  if (first === 'events' && second === 'programs' && third !== undefined) return { whose: 'program', id: third }
  if (first === 'programs' && third === undefined) return { whose: 'program', id: second ?? '' }
  return second === undefined ? { whose: 'all', id: '' } : undefined
}
