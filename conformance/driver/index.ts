import type { Action } from '#conformance/runner.js'
import { httpParallel, httpRequest } from '#conformance/driver/http.js'
import * as ocpp from '#conformance/driver/ocpp.js'
import { xmlRequest } from '#conformance/driver/xml.js'

/** Everything a step may do, by name. */
export const actions: Readonly<Record<string, Action>> = {
  'http.request': httpRequest,
  'http.parallel': httpParallel,
  'xml.request': xmlRequest,
  'ocpp.connect': ocpp.connect,
  'ocpp.call': ocpp.call,
  'ocpp.raw': ocpp.raw,
  'ocpp.expect': ocpp.expect,
  'ocpp.close': ocpp.close,
  'ocpp.waitClosed': ocpp.waitClosed,
}
