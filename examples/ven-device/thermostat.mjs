import { diskStore, runAgent, systemClock, thermostat, vtnClient } from '@loadstone/ven'

// A device of your own is an object with `name`, `follow(order)` and `energy_Wh(start, end)`; this one comes with the library.
const device = thermostat({ name: 'living-room', clock: systemClock, outdoor_C: () => 4 })
const vtn = vtnClient({
  url: process.env.VTN_URL ?? 'http://localhost:8082/openadr3/3.1.1',
  credentials: { clientID: process.env.CLIENT_ID ?? 'ven_client', clientSecret: process.env.CLIENT_SECRET ?? '999' },
})
const agent = runAgent(vtn, {
  venName: 'house-1', devices: [device], pollEvery_s: 10, firstPollWithin_s: 0,
  store: diskStore(process.env.QUEUE ?? './reports'),          // reports outlive an outage and a restart
  onOrder: (_device, order) => console.log('told', [...order.says.values()].map((s) => `${s.type} ${s.values}`).join(', ') || 'nothing', '-> target', device.target_C),
})
console.log('registered as', (await agent.ready).id)
process.once('SIGINT', async () => { agent.stop(); device.stop(); await vtn.close() })
