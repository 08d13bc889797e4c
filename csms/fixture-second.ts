import type { AddressInfo } from 'node:net'
import { plainServer } from './listen.js'
import type { Bench } from './fixture.js'
import type { Csms } from './server.js'

/** The other process over the same data as a bench made with `twin`. For tests only. */
export async function listening(b: Bench): Promise<{ csms: Csms; url: string; close(): Promise<void> }> {
  const csms = b.another(), server = plainServer()
  csms.attach(server)
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return {
    csms, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ocpp`,
    async close() {
      await csms.close()
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
