import { changes, vtnClient } from '@loadstone/ven'

const vtn = vtnClient({
  url: process.env.VTN_URL ?? 'http://localhost:8082/openadr3/3.1.1',
  credentials: { clientID: process.env.CLIENT_ID ?? 'ven_client', clientSecret: process.env.CLIENT_SECRET ?? '999' },
})
const ven = await vtn.registerVen('my-first-ven')
console.log(`registered as ${ven.id}, waiting for an event`)
for await (const { kind, event } of changes(vtn, { pollEvery_s: 10 })) {
  console.log(kind, event.eventName ?? event.id, JSON.stringify(event.intervals?.[0]?.payloads))
  break
}
await vtn.close()
