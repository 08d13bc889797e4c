import type { Command } from 'commander'
import { registerApi } from '#cli/api-verb.js'
import { apiNouns } from '#cli/api-verbs.js'
import { registerBaseline } from '#cli/baseline.js'
import { registerCustomer } from '#cli/customer.js'
import { registerDispatch } from '#cli/dispatch.js'
import { registerDispute } from '#cli/dispute.js'
import { registerEnrolment } from '#cli/enrolment.js'
import { registerProgram } from '#cli/program.js'
import { registerReadings } from '#cli/readings.js'
import { registerResource } from '#cli/resource.js'
import { registerSettlement } from '#cli/settlement.js'
import { registerStation } from '#cli/station.js'
import { registerStop } from '#cli/stop.js'
import { registerToken } from '#cli/token.js'
import { registerVendor } from '#cli/vendor.js'
import { registerWebhook } from '#cli/webhook.js'
import { registerAudit } from '#cli/audit.js'

/** The operator API by hand: one noun a file. */
export function registerOperator(program: Command): void {
  for (const register of [registerProgram, registerResource, registerEnrolment, registerDispatch, registerStop, registerReadings, registerBaseline, registerSettlement, registerDispute, registerCustomer, registerStation, registerVendor, registerToken, registerWebhook, registerAudit]) register(program)
  registerApi(program, apiNouns)
}
