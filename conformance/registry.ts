import type { Procedure, Subject } from '#conformance/procedure.js'
import { certified } from '#conformance/procedure/csms/certification.js'
import { charging } from '#conformance/procedure/csms/charging.js'
import { admitted } from '#conformance/procedure/csms/admission.js'
import { connection } from '#conformance/procedure/csms/connection.js'
import { dispatches } from '#conformance/procedure/csms/dispatch.js'
import { edition21 } from '#conformance/procedure/csms/edition-21.js'
import { messages } from '#conformance/procedure/csms/messages.js'
import { rules } from '#conformance/procedure/csms/rules.js'
import { security } from '#conformance/procedure/csms/security.js'
import { australian } from '#conformance/procedure/csip/aus.js'
import { door } from '#conformance/procedure/csip/door.js'
import { happenings } from '#conformance/procedure/csip/events.js'
import { functions } from '#conformance/procedure/csip/functions.js'
import { more as csipMore } from '#conformance/procedure/csip/more.js'
import { resources } from '#conformance/procedure/csip/resources.js'
import { transport } from '#conformance/procedure/csip/transport.js'
import { enrolment } from '#conformance/procedure/est/enrolment.js'
import { clientUnderTest } from '#conformance/procedure/ven/client.js'
import { auth } from '#conformance/procedure/vtn/auth.js'
import { lists } from '#conformance/procedure/vtn/lists.js'
import { more as vtnMore } from '#conformance/procedure/vtn/more.js'
import { notify } from '#conformance/procedure/vtn/notify.js'
import { objects } from '#conformance/procedure/vtn/objects.js'
import { payloads } from '#conformance/procedure/vtn/payload.js'
import { privacy } from '#conformance/procedure/vtn/privacy.js'

/** Every procedure by subject; a new one is an entry in its subject's list. */
export const procedures: Readonly<Record<Subject, readonly Procedure[]>> = {
  vtn: [...auth, ...objects, ...lists, ...privacy, ...notify, ...payloads, ...vtnMore],
  csip: [...transport, ...resources, ...happenings, ...functions, ...door, ...australian, ...csipMore],
  csms: [...connection, ...admitted, ...messages, ...charging, ...rules, ...security, ...dispatches, ...edition21].map(certified),
  est: enrolment,
  ven: clientUnderTest,
}
