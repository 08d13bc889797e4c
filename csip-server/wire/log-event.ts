import { resource } from '#core/describe/resource.js'
import { listOf, may, Resource, sequence } from '#csip-server/wire/base.js'
import { optional, PENType, String32, TimeType, UInt16, UInt32, UInt8 } from '#csip-server/wire/simple-types.js'

const content = sequence({
  ...Resource,
  createdDateTime: TimeType(),
  details: optional(String32()),
  extendedData: optional(UInt32()),
  functionSet: UInt8(),
  logEventCode: UInt8(),
  logEventID: UInt16(),
  logEventPEN: PENType(),
  profileID: UInt8(),
})

export const LogEvent = resource('LogEvent', '2030.5-2018 log event; SEP-187', content, { href: '/edev/{edev}/lel/{lel}', methods: may('GET', 'DELETE') })

export const LogEventList = listOf(LogEvent, '2030.5-2018 log event; SEP-187', { href: '/edev/{edev}/lel', methods: may('GET', 'POST'), subscribable: true, pollRate: true })

/** The server's own, written by itself (SEP-094, SEP-109). */
export const SelfLogEvent = resource('LogEvent', '2030.5-2018 log event; SEP-109', content, { href: '/sdev/lel/{lel}', methods: may('GET') })
export const SelfLogEventList = listOf(SelfLogEvent, '2030.5-2018 log event; SEP-109', { href: '/sdev/lel', methods: may('GET'), subscribable: true, pollRate: true })
