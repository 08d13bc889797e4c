/** The three protocol versions of our one port (OCPP-005). */
export type Version = '1.6' | '2.0.1' | '2.1'

/** Subprotocol names are compared exactly, case included (OCPP-007). */
const bySubprotocol: ReadonlyMap<string, Version> = new Map([['ocpp1.6', '1.6'], ['ocpp2.0.1', '2.0.1'], ['ocpp2.1', '2.1']])

/** The first name in the station's order that we and its registration allow (OCPP-005); unknown names are passed over. */
export function chooseVersion(offered: Iterable<string>, allowed: readonly Version[]): { subprotocol: string; version: Version } | undefined {
  for (const subprotocol of offered) {
    const version = bySubprotocol.get(subprotocol)
    if (version && allowed.includes(version)) return { subprotocol, version }
  }
  return undefined
}
