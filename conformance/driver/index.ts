import type { Action } from '#conformance/runner.js'
import { httpParallel, httpRequest } from '#conformance/driver/http.js'
import { discover } from '#conformance/driver/csip.js'
import * as mqtt from '#conformance/driver/mqtt.js'
import * as ocpp from '#conformance/driver/ocpp.js'
import * as pki from '#conformance/driver/pki.js'
import * as stationPki from '#conformance/driver/station-pki.js'
import * as receiver from '#conformance/driver/receiver.js'
import * as socket from '#conformance/driver/socket.js'
import * as tools from '#conformance/driver/tools.js'
import * as vtn from '#conformance/driver/vtn.js'
import * as venUnderTest from '#conformance/driver/ven-under-test.js'
import { xmlMember, xmlRequest, xmlWalk } from '#conformance/driver/xml.js'

/** Everything a step may do, by name. */
export const actions: Readonly<Record<string, Action>> = {
  'http.request': httpRequest,
  'http.parallel': httpParallel,
  'xml.request': xmlRequest,
  'xml.walk': xmlWalk,
  'xml.member': xmlMember,
  'csip.discover': discover,
  'vtn.request': vtn.vtnRequest,
  'vtn.token': vtn.token,
  'vtn.walk': vtn.walk,
  'vtn.noVens': vtn.noVens,
  'receiver.listen': receiver.listen,
  'receiver.expect': receiver.expect,
  'receiver.count': receiver.count,
  'receiver.become': receiver.become,
  'mqtt.connect': mqtt.connect,
  'mqtt.subscribe': mqtt.subscribe,
  'mqtt.publish': mqtt.publish,
  'mqtt.expect': mqtt.expect,
  'mqtt.apart': mqtt.apart,
  'pki.leaf': pki.leaf,
  'pki.station': pki.station,
  'pki.csr': stationPki.csr,
  'pki.chain': stationPki.chain,
  'est.enroll': pki.enroll,
  'est.certs': pki.certs,
  'tls.connect': tools.tls,
  'socket.pipeline': socket.pipeline,
  'socket.idle': socket.idle,
  'socket.resume': socket.resume,
  'operator.request': tools.operator,
  'operator.result': tools.operatorResult,
  'wait': tools.wait,
  'value': tools.value,
  'sfdi': tools.sfdi,
  'pin': tools.pin,
  'lists.compare': tools.compare,
  'ocpp.connect': ocpp.connect,
  'ocpp.call': ocpp.call,
  'ocpp.raw': ocpp.raw,
  'ocpp.expect': ocpp.expect,
  'ocpp.close': ocpp.close,
  'ocpp.waitClosed': ocpp.waitClosed,
  'ocpp.bare': ocpp.bare,
  'ocpp.binary': ocpp.binary,
  'ocpp.ping': ocpp.ping,
  'ocpp.burst': ocpp.burst,
  'ocpp.quiet': ocpp.quiet,
  'ocpp.answerAll': ocpp.answerAll,
  'ocpp.flood': ocpp.flood,
  'ocpp.knock': ocpp.knock,
  'ven.vtn': venUnderTest.startVtn,
  'ven.start': venUnderTest.startClient,
  'ven.saw': venUnderTest.saw,
  'ven.count': venUnderTest.count,
  'ven.set': venUnderTest.set,
}
