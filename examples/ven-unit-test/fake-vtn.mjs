import assert from 'node:assert/strict'
import { changes, fakeVtn, systemClock, vtnClient } from '@loadstone/ven'

// A VTN in memory: your VEN's unit tests need no server, no database and no network beyond loopback.
const vtn = await fakeVtn({ clock: systemClock })
vtn.put({ programID: 'p', eventName: 'test', intervalPeriod: { start: new Date().toISOString(), duration: 'PT1H' }, intervals: [{ id: 0, payloads: [{ type: 'SIMPLE', values: [2] }] }] })
vtn.script({ path: /events/, status: 503, headers: { 'retry-after': '0' } })       // the first answer fails, the client tries again
const client = vtnClient({ url: vtn.url, credentials: { clientID: 'v', clientSecret: 's' } })
for await (const { event } of changes(client)) {
  assert.equal(event.eventName, 'test')
  break
}
await client.close()
await vtn.close()
console.log('ok')
