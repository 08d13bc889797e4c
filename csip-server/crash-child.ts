import { handClock } from '#core/port/clock.js'
import { silent } from '#core/port/log.js'
import { hear, serverUnderTest, type Pki } from '#csip-server/fixture.js'
import { openDatabase } from '#prisma/database.js'

/** A 2030.5 server in a process of its own, for the test that kills it (SEP-254). Told by its first message; says its port. */
process.once('message', (told: { url: string; tenant: string; nowMs: number; pki: { serca: string; mica: string; server: Pki['server'] } }) => {
  void (async () => {
    const clock = handClock(told.nowMs)
    const database = await openDatabase({ url: told.url, log: silent, clock, poolSize: 5 })
    const pki = { serca: told.pki.serca, mica: { certificate: Buffer.from(told.pki.mica, 'base64') }, server: told.pki.server } as unknown as Pki
    const { csip } = serverUnderTest({ pki, documents: database.stores.documents, tenant: told.tenant, clock, heard: hear() })
    process.send?.({ port: await csip.listen({ port: 0, hosts: ['127.0.0.1'] }) })
  })()
})
