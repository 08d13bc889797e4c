import type { Handler } from './handler.js'
import { authorize } from './message/authorize.js'
import { bootNotification } from './message/boot-notification.js'
import { heartbeat } from './message/heartbeat.js'
import { meterValues } from './message/meter-values.js'
import { notifyEVChargingNeeds } from './message/notify-ev-charging-needs.js'
import { notifyReport } from './message/notify-report.js'
import { statusNotification } from './message/status-notification.js'
import { transactionEvent } from './message/transaction-event.js'

type NeedsOf<F extends (needs: never) => Handler[]> = Parameters<F>[0]

export type MessageNeeds = NeedsOf<typeof authorize> & NeedsOf<typeof bootNotification> & NeedsOf<typeof heartbeat> & NeedsOf<typeof meterValues>
  & NeedsOf<typeof notifyEVChargingNeeds> & NeedsOf<typeof notifyReport> & NeedsOf<typeof statusNotification> & NeedsOf<typeof transactionEvent>

/** What this server does when a station speaks: the list to read aloud. */
export const handlers = (needs: MessageNeeds): Handler[] => [
  ...authorize(needs),
  ...bootNotification(needs),
  ...heartbeat(needs),
  ...meterValues(needs),
  ...notifyEVChargingNeeds(needs),
  ...notifyReport(needs),
  ...statusNotification(needs),
  ...transactionEvent(needs),
]
