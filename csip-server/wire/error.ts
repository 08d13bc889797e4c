import { resource } from '#core/describe/resource.js'
import { sequence } from '#csip-server/wire/base.js'
import { optional, UInt16 } from '#csip-server/wire/simple-types.js'

export const Error = resource('Error', '2030.5-2018 error responses; SEP-032', sequence({
  maxRetryDuration: optional(UInt16()),
  reasonCode: UInt16(),
}))
