import t from 'tap'
import { kpi, percentile, reliability } from '#core/kpi/kpi.js'

const input = { dispatched: 80, responded: 60, optedOut: 12, noComms: 8, committed_kW: 50, delivered_kW: 45, cost: '1000.00', assets: 100 }

t.test('CORE-195 rates, cost per delivered MW and per asset, retention, reliability, percentiles', async (t) => {
  t.match(kpi({ ...input, activeSeasonAgo: 100, stillActive: 92 }), { participationRate: 0.75, costPerMW: '22222.22', costPerAsset: '10.00', retention: 0.92, reasons: {} })
  t.match(kpi({ ...input, currency: 'JPY', cost: '1000' }), { costPerMW: '22222', costPerAsset: '10' })
  t.equal(reliability([0.9, 0.89, 1.2, 1]), 0.75)
  t.same([percentile([5, 1, 3], 0.5), percentile([1, 2], 0.99), percentile([], 0.5)], [3, 2, null])
})

t.test('CORE-196 a denominator of 0 is null with its reason', async (t) => {
  const k = kpi({ ...input, dispatched: 0, committed_kW: 0, delivered_kW: 0, assets: 0 })
  t.same([k.participationRate, k.optOutRate, k.commsLossRate, k.deliveryRatio, k.costPerMW, k.costPerAsset], [null, null, null, null, null, null])
  t.match(k.reasons, { costPerMW: 'delivered_kW is 0', deliveryRatio: 'committed_kW is 0' })
  t.equal(reliability([]), null)
})
