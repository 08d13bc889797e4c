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
    for (const r of records) ok(text.includes(r.actor) && (await page.locator(`[data-table="${table}"] tr[data-row="${r.seq}"] [data-action="${r.action}"]`).count()) === 1, `${r.actor} ${r.action}`)
    equal((await exported(page, table)).length - 1, records.length, 'exported')
  })

  await test('UX-051 before and after of a change, member by member, as the API has them; a secret is none', async () => {
    const program = await api.get('/programs/peak'), hook = await api.post('/webhooks', { url: 'https://example.org/hook', secret: 'canary-of-the-trail' })
    await api.call('PATCH', `/programs/${program.id}`, { limits: { ...program.limits, maxEventsPerDay: 7 }, version: program.version })
    await api.call('PATCH', `/webhooks/${hook.id}`, { events: ['dispatch.*'] })
    await visit(page, `/audit?entity=${program.id}`)
    const wanted = (await api.get(`/audit?entity=${program.id}&order=newest&changes=true&limit=1`)).items[0], row = page.locator(`tr[data-row="${wanted.seq}"] .change`)
    equal(wanted.changes.find((c) => c.path === 'limits.maxEventsPerDay')?.after, 7, 'what the API says')
    equal(await row.getAttribute('data-changes'), String(wanted.changes.length), 'members')
    ok(/limits\.maxEventsPerDay: 7/.test(await row.innerText()), await row.innerText())
    await visit(page, `/audit?entity=${hook.id}`)
    ok(/events\.0: \*? ?→ ?dispatch/.test((await page.locator('main').innerText()).replace(/\s+/g, ' ')), await page.locator('main').innerText())
    ok(!(await page.content()).includes('canary-of-the-trail'), 'no secret')
    await api.call('PATCH', `/webhooks/${hook.id}`, { state: 'disabled' })
    const now = await api.get('/programs/peak')
    await api.call('PATCH', `/programs/${program.id}`, { limits: program.limits, version: now.version })
  })
}
