import { handler, type Handler } from '#csms/handler.js'
import { live } from '#csms/smart-charging/ledger.js'

const phased = (name: string): string[] => [name, `${name}_L2`, `${name}_L3`]
/** The numbers of a period that an update may carry (2.1 ChargingScheduleUpdateType). */
const told = new Set(['limit', 'dischargeLimit', 'setpoint', 'setpointReactive'].flatMap(phased))

/** K28 (OCPP-262): the values that rule now for a Dynamic profile; Rejected for one that is unknown or of another kind. */
export const pullDynamicScheduleUpdate = (): Handler[] => [
  handler<{ chargingProfileId: number }>('PullDynamicScheduleUpdate', (station, { chargingProfileId }) => {
    const entry = station.ledger.get(chargingProfileId)
    if (!entry || !live(entry)) return { status: 'Rejected', statusInfo: { reasonCode: 'NotFound' } }
    if ((entry.profile.chargingProfileKind as string) !== 'Dynamic') return { status: 'Rejected', statusInfo: { reasonCode: 'InvalidProfile' } }
    const period = Object.entries(entry.profile.chargingSchedule[0]?.chargingSchedulePeriod[0] ?? {}).filter(([name]) => told.has(name))
    return { status: 'Accepted', scheduleUpdate: entry.dynamic ?? Object.fromEntries(period) }
  }, ['2.1']),
]
