import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ok, openPage, root } from '../harness.mjs'

export default async function speed({ test, browser, base, token }) {
  await test('UX-055 script at most 300 kB compressed', async () => {
    const folder = join(root, 'build', 'console', 'assets'), size = readdirSync(folder).filter((f) => f.endsWith('.js')).reduce((n, f) => n + gzipSync(readFileSync(join(folder, f))).length, 0)
    process.stdout.write(`  # ${Math.round(size / 1024)} kB\n`)
    ok(size <= 300 * 1024, `${size} bytes`)
  })

  await test('UX-055 first content within 1.5 s; an action answers the finger within 300 ms (best of five)', async () => {
    const p = await openPage(browser, base, { token, at: '/' }), loads = [], acts = []
    for (let i = 0; i < 5 && !loads.some((x) => x <= 1500); i++) {
      const begun = Date.now()
      await p.reload()
      await p.waitForSelector('[data-figure="home.enrolled"]')
      loads.push(Date.now() - begun)
    }
    for (let i = 0; i < 5 && !acts.some((x) => x <= 300); i++) {
      acts.push(await p.evaluate(() => new Promise((done) => {
        const begun = performance.now(), look = () => (document.querySelector('dialog[open]') ? done(performance.now() - begun) : requestAnimationFrame(look))
        document.querySelector('header.top button.danger').click()
        look()
      })))
      await p.keyboard.press('Escape')
      await p.waitForSelector('dialog', { state: 'detached' })
    }
    process.stdout.write(`  # numbers of Home after ${loads.join(', ')} ms; dialog after ${acts.map((x) => x.toFixed(0)).join(', ')} ms\n`)
    ok(Math.min(...loads) <= 1500 && Math.min(...acts) <= 300, `${loads} ${acts}`)
    await p.context().close()
  })
}
