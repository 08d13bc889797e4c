import { equal, ok, visit } from '../harness.mjs'
import { exported, rows } from '../look.mjs'

export default async function audit({ test, page, api, id }) {
  await test('UX-051 audit: the badge counts what the API verifies; who, what, filter by one order, export', async () => {
    await visit(page, '/audit')
    await page.waitForSelector('[data-chain]')
    const wanted = await api.get('/audit/verify')
    equal(await page.locator('[data-chain]').getAttribute('data-chain'), String(wanted.verified), 'verified')
    const shown = Number(((await page.locator('[data-chain]').innerText()).match(/[\d,]+/)?.[0] ?? '').replaceAll(',', ''))
    ok(shown > 100 && shown <= wanted.records, `${shown} of ${wanted.records}`)
    await visit(page, `/audit?entity=${id}`)
    const records = (await api.get(`/audit?entity=${id}&limit=1000`)).items, table = await page.locator('[data-table]').first().getAttribute('data-table')
    equal(await rows(page, table).count(), records.length, 'records of one order')
    const text = await page.locator(`[data-table="${table}"]`).innerText()
    for (const r of records) ok(text.includes(r.action) && text.includes(r.actor), `${r.actor} ${r.action}`)
    equal((await exported(page, table)).length - 1, records.length, 'exported')
  })
}
