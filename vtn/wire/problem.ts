import { Type, type Static } from 'typebox'
import { uri } from '#vtn/wire/field.js'

/** OA-050: the body of every 40x and 5xx answer. */
export const Problem = Type.Object({
  type: Type.Optional(uri('Kind of problem; about:blank when the status says it all.')),
  title: Type.Optional(Type.String()),
  status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599 })),
  detail: Type.Optional(Type.String()),
  instance: Type.Optional(Type.String({ format: 'uri', minLength: 3, maxLength: 8000 })),
}, { description: 'What went wrong.' })
export type Problem = Static<typeof Problem>
