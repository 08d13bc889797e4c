import type { Procedure, Subject } from '#conformance/procedure.js'
import { happenings } from '#conformance/procedure/csip/events.js'
import { resources } from '#conformance/procedure/csip/resources.js'
import { transport } from '#conformance/procedure/csip/transport.js'
import { auth } from '#conformance/procedure/vtn/auth.js'
import { lists } from '#conformance/procedure/vtn/lists.js'
import { notify } from '#conformance/procedure/vtn/notify.js'
import { objects } from '#conformance/procedure/vtn/objects.js'
import { privacy } from '#conformance/procedure/vtn/privacy.js'

/** Every procedure by subject; a new one is an entry in its subject's list. */
export const procedures: Readonly<Record<Subject, readonly Procedure[]>> = {
  vtn: [...auth, ...objects, ...lists, ...privacy, ...notify],
  csip: [...transport, ...resources, ...happenings],
  csms: [],
  est: [],
  ven: [],
}
