// How numbers must look on a page, written apart from the pages' own code, and how a page is read.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { shots, until } from './harness.mjs'

export const number = (n, digits = 1) => new Intl.NumberFormat('en-US', { maximumFractionDigits: digits }).format(n === 0 ? 0 : n)
export const power = (kW) => (Math.abs(kW) >= 1000 ? `${number(kW / 1000, 2)} MW` : `${number(kW)} kW`)
export const energy = (kWh) => (kWh === null ? '–' : Math.abs(kWh) >= 1000 ? `${number(kWh / 1000, 3)} MWh` : `${number(kWh)} kWh`)
export const percent = (share) => new Intl.NumberFormat('en-US', { style: 'percent', maximumFractionDigits: 1 }).format(share)
export const money = (amount) => new Intl.NumberFormat('en-US', { minimumFractionDigits: 2 }).format(amount)

export const figure = async (page, key) => (await page.locator(`[data-figure="${key}"]`).innerText()).replace(/\s+/g, ' ').trim()
export const rows = (page, table) => page.locator(`[data-table="${table}"] tbody tr[data-row]`)
export const shot = (page, name, full = false) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: full })

/** A number that moves is right when it was the API's at some moment between two looks. */
export async function moving(what, look, ask) {
  let last
  await until(`${what} to equal the API`, async () => {
    const wanted = await ask(), found = await look(), after = await ask()
    last = { found, wanted, after }
    return found === wanted || found === after
  }, { within: 30_000, every: 300 }).catch(() => { throw new Error(`${what}: ${JSON.stringify(last)}`) })
}

/** The address follows a moment after what was done. */
export const address = (page, part) => until(`${part} in the address`, async () => page.url().includes(part), { within: 30_000, every: 50 })

/** What a click brings down, as text. */
export async function downloaded(page, click) {
  const [file] = await Promise.all([page.waitForEvent('download'), click()])
  const { readFileSync } = await import('node:fs')
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) }
}

/** Opens a list's export menu and takes its CSV. */
export async function exported(page, table) {
  const box = page.locator(`[data-table="${table}"]`)
  await box.locator('details[data-menu="export"] > summary').click()
  const { bytes } = await downloaded(page, () => box.getByRole('button', { name: 'Export CSV' }).click())
  await box.locator('details[data-menu="export"] > summary').click()
  return bytes.toString('utf8').trim().split('\r\n')
}

/** What a telephone's camera reads from a QR code on the page, by a reader that did not draw it. */
export async function scanned(svg) {
  const { data, width, height } = await svg.evaluate(async (el) => {
    const box = el.getBoundingClientRect(), copy = el.cloneNode(true), picture = new Image(), canvas = document.createElement('canvas')
    copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
    copy.setAttribute('width', box.width * 2)
    copy.setAttribute('height', box.height * 2)
    picture.src = `data:image/svg+xml;base64,${btoa(new XMLSerializer().serializeToString(copy))}`
    await picture.decode()
    canvas.width = picture.width
    canvas.height = picture.height
    const ctx = canvas.getContext('2d')
    ctx.drawImage(picture, 0, 0)
    return { data: [...ctx.getImageData(0, 0, canvas.width, canvas.height).data], width: canvas.width, height: canvas.height }
  })
  return createRequire(import.meta.url)('jsqr')(Uint8ClampedArray.from(data), width, height)?.data
}
