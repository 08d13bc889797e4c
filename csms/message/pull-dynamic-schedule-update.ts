import { handler, type Handler } from '#csms/handler.js'

/** K28 (OCPP-262): Rejected for a profile that is unknown or not Dynamic; we install none of kind Dynamic. */
export const pullDynamicScheduleUpdate = (): Handler[] => [
  handler<{ chargingProfileId: number }>('PullDynamicScheduleUpdate', () => ({ status: 'Rejected', statusInfo: { reasonCode: 'NotFound' } }), ['2.1']),
]
