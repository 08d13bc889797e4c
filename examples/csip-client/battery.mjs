import { readFileSync } from 'node:fs'
import { runCsipAgent } from '@loadstone/ven'

const read = (name, fallback) => readFileSync(process.env[name] ?? fallback, 'utf8')
const watts = (value) => ({ multiplier: 0, value })
let target = 0
const agent = runCsipAgent({
  url: process.env.CSIP_URL ?? 'https://localhost:8443/dcap', pollEvery_s: 10, firstPollWithin_s: 0,
  key: read('KEY', 'device-1.key'), cert: read('CERT', 'device-1.pem'), ca: read('CA', 'chain.pem'),
  device: {
    capability: () => ({ modesSupported: '00400000', rtgMaxW: watts(5000), type: 80 }),
    settings: (now) => ({ modesEnabled: '00400000', setGradW: 0, setMaxW: watts(5000), updatedTime: now }),
    status: (now) => ({ readingTime: now, operationalModeStatus: { dateTime: now, value: 2 } }),
    follow: (modes) => { target = modes.get('opModTargetW')?.value.value?.value ?? 0; console.log('opModTargetW', target) },
    series: [{ name: 'export', flowDirection: 19, interval_Wh: (start, end) => Math.round(target * (end - start) / 3_600_000) }],
  },
  onResponse: (mRID, status) => console.log('response', status, 'for', mRID),
})
console.log('LFDI', agent.lfdi)
process.once('SIGINT', () => agent.stop())
