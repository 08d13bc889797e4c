import { readFileSync } from 'node:fs'
import { runCsipAppliance } from '@loadstone/ven'

const read = (name, fallback) => readFileSync(process.env[name] ?? fallback, 'utf8')
const agent = runCsipAppliance({
  url: process.env.CSIP_URL ?? 'https://localhost:8443/dcap', pollEvery_s: 10, firstPollWithin_s: 0,
  key: read('KEY', 'device-2.key'), cert: read('CERT', 'device-2.pem'), ca: read('CA', 'chain.pem'),
  appliance: {
    shed: (forms) => console.log('load control', Object.fromEntries([...forms].map(([name, claim]) => [name, claim.value.value]))),
    price: (prices) => { for (const { value } of prices.values()) console.log('price', value.blocks[0]?.price, 'in currency', value.currency) },
    show: (messages) => { for (const { textMessage } of messages) console.log('message', textMessage) },
    applied: () => ({ AppliedTargetReduction: { type: 3, value: 10 } }),     // what DrResponse says we did
  },
  onResponse: (mRID, status) => console.log('response', status, 'for', mRID),
})
console.log('LFDI', agent.lfdi)
process.once('SIGINT', () => agent.stop())
