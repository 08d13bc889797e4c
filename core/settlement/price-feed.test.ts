import t from 'tap'
import { statementLines } from '#core/settlement/terms.js'

t.test('CORE-206 the price feed is out: the price settled last stands, with a flag and a count; without one there is no price', async (t) => {
  const facts = { paid_kWh: '4', interval_kWh: ['1', '1', '1', '1'] }
  const line = (price: (string | null)[], last?: string) => statementLines([{ kind: 'energy', price, ...(last === undefined ? {} : { last }) }], facts, 'USD').lines[0]!
  t.match(line(['0.10', '0.20', null, null]), { amount: '0.70', inputs: { price: '0.10 0.20 0.20 0.20', flag: 'PRICE_CARRIED', carried: '2' } })
  t.match(line([null, '0.20', '0.20', '0.20'], '0.05'), { amount: '0.65', inputs: { carried: '1' } })
  t.notOk('flag' in line(['0.10', '0.20', '0.30', '0.40']).inputs)
  t.throws(() => line([null, '0.20', '0.20', '0.20']), { kind: 'invalid', message: /interval 1 has no price/ })
})
