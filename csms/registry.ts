import type { Handler } from './handler.js'
import { authorize } from './message/authorize.js'
import { batterySwap } from './message/battery-swap.js'
import { bootNotification } from './message/boot-notification.js'
import { certificates } from './message/certificates.js'
import { chargingLimit } from './message/charging-limit.js'
import { dataTransfer } from './message/data-transfer.js'
import { heartbeat } from './message/heartbeat.js'
import { meterValues } from './message/meter-values.js'
import { notifyEVChargingNeeds } from './message/notify-ev-charging-needs.js'
import { notifyEVChargingSchedule } from './message/notify-ev-charging-schedule.js'
import { notifyEvent } from './message/notify-event.js'
import { notifyReport } from './message/notify-report.js'
import { payment } from './message/payment.js'
import { periodicEventStream } from './message/periodic-event-stream.js'
import { pullDynamicScheduleUpdate } from './message/pull-dynamic-schedule-update.js'
import { reportsInParts } from './message/reports-in-parts.js'
import { securityEventNotification } from './message/security-event-notification.js'
import { startStopTransaction } from './message/start-stop-transaction.js'
import { statusNotification } from './message/status-notification.js'
import { statusReports } from './message/status-reports.js'
import { transactionEvent } from './message/transaction-event.js'

type NeedsOf<F extends (needs: never) => Handler[]> = Parameters<F>[0]

export type MessageNeeds = NeedsOf<typeof authorize>
  & NeedsOf<typeof batterySwap>
  & NeedsOf<typeof bootNotification>
  & NeedsOf<typeof certificates>
  & NeedsOf<typeof chargingLimit>
  & NeedsOf<typeof dataTransfer>
  & NeedsOf<typeof heartbeat>
  & NeedsOf<typeof meterValues>
  & NeedsOf<typeof notifyEVChargingNeeds>
  & NeedsOf<typeof notifyEVChargingSchedule>
  & NeedsOf<typeof notifyEvent>
  & NeedsOf<typeof notifyReport>
  & NeedsOf<typeof payment>
  & NeedsOf<typeof periodicEventStream>
  & NeedsOf<typeof reportsInParts>
  & NeedsOf<typeof securityEventNotification>
  & NeedsOf<typeof startStopTransaction>
  & NeedsOf<typeof statusNotification>
  & NeedsOf<typeof statusReports>
  & NeedsOf<typeof transactionEvent>

/** What this server does when a station speaks: the list to read aloud. */
export const handlers = (needs: MessageNeeds): Handler[] => [
  ...authorize(needs),
  ...batterySwap(needs),
  ...bootNotification(needs),
  ...certificates(needs),
  ...chargingLimit(needs),
  ...dataTransfer(needs),
  ...heartbeat(needs),
  ...meterValues(needs),
  ...notifyEVChargingNeeds(needs),
  ...notifyEVChargingSchedule(needs),
  ...notifyEvent(needs),
  ...notifyReport(needs),
  ...payment(needs),
  ...periodicEventStream(needs),
  ...pullDynamicScheduleUpdate(),
  ...reportsInParts(needs),
  ...securityEventNotification(needs),
  ...startStopTransaction(needs),
  ...statusNotification(needs),
  ...statusReports(needs),
  ...transactionEvent(needs),
]
