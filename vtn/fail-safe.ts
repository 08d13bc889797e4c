import type { DispatchChannel, FailSafe } from '#core/port/dispatch-channel.js'

/**
 * CORE-202 of OpenADR: an event is a schedule with an end, sent whole; a VEN that hears nothing more runs it out and is its own master again. Nothing
 * has to be configured, so this holds for a VEN that registers later too.
 */
const eventEnd: FailSafe = { held: true, by: 'event end', at: null, limit_W: null, limit_percent: null, confirmed: false }

export const failSafe: NonNullable<DispatchChannel['failSafe']> = async (_stores, _tenant, asks) => asks.map(() => eventEnd)
