import { equal, ok, openPage, settled, until, visit } from '../harness.mjs'
import { exported, rows, shot } from '../look.mjs'

export default async function audit({ test, page, api, id, browser, base, token }) {
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

  const seqs = (p) => rows(p, 'au').evaluateAll((all) => all.map((r) => Number(r.dataset.row))), fill = async (name, value) => {
    await page.locator(`main input[name="${name}"]`).fill(value)
    await page.locator(`main input[name="${name}"]`).blur()
    await until(`${name} in the address`, async () => page.url().includes(`${name}=`) === (value !== ''))
    await settled(page)
  }
  await test('UX-051 who and which days are asked of the whole trail, in the page’s zone; the export is what is shown', async () => {
    await visit(page, '/audit?au.n=1000')
    const zone = await page.locator('label:has(input[name="from"]) .soft').innerText(), dayOf = (at) => new Date(at).toLocaleDateString('sv-SE', { timeZone: zone })
    const all = (await api.get('/audit?limit=1000&order=newest')).items, { actor } = all.find((r) => r.actor !== 'system' && r.actor !== all[0].actor) ?? all[0], day = dayOf(all.at(-1).at)
    await fill('actor', actor)
    const theirs = (await api.get(`/audit?limit=1000&order=newest&actor=${encodeURIComponent(actor)}`)).items
    ok(theirs.length > 0 && theirs.every((r) => r.actor === actor), 'the API itself')
    equal(await seqs(page), theirs.map((r) => r.seq), `records of ${actor}`)
    await fill('actor', '')
    await fill('from', day)
    await fill('to', day)
    const shown = await seqs(page), kept = all.filter((r) => dayOf(r.at) === day).map((r) => r.seq)
    ok(kept.length > 0, `records on ${day}`)
    equal(shown.filter((seq) => seq >= all.at(-1).seq), kept, `records of ${day} in ${zone}`)
    equal((await exported(page, 'au')).slice(1).map((line) => Number(line.split(',')[0])), shown, 'exported')
    const before = dayOf(Date.parse((await api.get('/audit?limit=1')).items[0].at) - 86_400_000)
    await fill('from', before)
    await fill('to', before)
    await page.getByText('No record matches.').waitFor()
  })

  await test('UX-051 a long trail comes in pages: older records follow without a gap and say that there are more', async () => {
    const p = await openPage(browser, base, { token, at: '/settings' })
    await settled(p)
    await p.route('**/api/v1/audit?*', (route) => route.continue({ url: route.request().url().replace('limit=1000', 'limit=40') }))
    await visit(p, '/audit?au.n=1000')
    const first = await seqs(p), newest = (await api.get('/audit?order=newest&limit=1')).items[0].seq
    equal([first.length, first[0] <= newest, (await p.locator('main').innerText()).includes('The newest 40 are loaded')], [40, true, true], 'the first page')
    for (const n of [80, 120]) {
      await p.getByRole('button', { name: 'Show older records' }).click()
      await until(`${n} records`, async () => (await rows(p, 'au').count()) === n)
    }
    equal(await seqs(p), Array.from({ length: 120 }, (_, i) => first[0] - i), 'one after the other')
    equal((await exported(p, 'au')).length - 1, 120, 'exported')
    await p.context().close()
  })

  await test('UX-051 a broken chain is told as broken, with the first bad record; a record that is not what was hashed says so; a check that fails is no check', async () => {
    const p = await openPage(browser, base, { token, at: '/settings' }), badge = p.locator('[data-chain]')
    await settled(p)
    await p.route('**/api/v1/audit/verify', async (route) => {
      const { head, records } = await (await route.fetch()).json()
      await route.fulfill({ json: { verified: false, records: 16, head, firstBroken: { ...(await api.get('/audit/17')), hash: 'f'.repeat(64) }, all: records } })
    })
    await p.route('**/api/v1/audit?*', async (route) => {
      const answer = await (await route.fetch()).json()
      await route.fulfill({ json: { ...answer, items: answer.items.map((r, i) => (i === 0 ? { ...r, intact: false } : r)) } })
    })
    await visit(p, '/audit')
    await badge.waitFor()
    equal([await badge.getAttribute('data-chain'), (await badge.innerText()).replace(/\s+/g, ' ').trim(), /\bbad\b/.test(await badge.getAttribute('class'))], ['false', '✗ Chain broken at record 17', true], 'badge')
    ok(/not what the chain was given/.test(await rows(p, 'au').first().innerText()), 'the forged one')
    equal(await p.getByText('not what the chain was given').count(), 1, 'and only that one')
    await shot(p, 'audit-broken-1280-light')
    await p.unroute('**/api/v1/audit/verify')
    await p.route('**/api/v1/audit/verify', (route) => route.fulfill({ status: 503, json: { status: 503, title: 'busy' } }))
    await visit(p, '/settings')
    await visit(p, '/audit')
    await p.getByText('The chain could not be checked').waitFor()
    equal(await badge.count(), 0, 'no badge')
    await p.context().close()
  })
}
