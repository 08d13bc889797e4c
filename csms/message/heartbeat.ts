import type { Clock } from '#core/port/clock.js'
import { handler, type Handler } from '#csms/handler.js'
import { isoMs } from '#csms/time.js'

/** G02: the time, in UTC with milliseconds. */
export const heartbeat = ({ clock }: { clock: Clock }): Handler[] => [handler<object>('Heartbeat', () => ({ currentTime: isoMs(clock.nowMs()) }))]
