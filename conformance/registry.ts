import type { Procedure, Subject } from '#conformance/procedure.js'

/** Every procedure by subject; a new one is an entry in its subject's list. */
export const procedures: Readonly<Record<Subject, readonly Procedure[]>> = {
  vtn: [],
  csip: [],
  csms: [],
  est: [],
  ven: [],
}
