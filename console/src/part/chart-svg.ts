import { plain, when } from '../format.ts'
import { t } from '../text/index.ts'
import type { ChartProps } from './chart.tsx'

const width = 960,
  height = 420,
  box = { left: 64, right: 16, top: 34, bottom: 44 }

const escaped = (s: string): string => s.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] as string)

/** Round steps for an axis: 1, 2 or 5 times a power of ten, five or so of them. */
export function ticks(low: number, high: number): number[] {
  const rough = (high - low || 1) / 5,
    power = 10 ** Math.floor(Math.log10(rough)),
    step = ([1, 2, 5, 10].find((n) => n * power >= rough) ?? 10) * power,
    out: number[] = []
  for (let v = Math.ceil(low / step) * step; v <= high + step / 1000; v += step) out.push(Number(v.toPrecision(12)))
  return out
}

/** The chart as a file of its own, without canvas or script: for a report, a mail, a printer (UX-061). Colours are those of paper. */
export function chartSvg({ label, times, end, lines, zone, band }: ChartProps): string {
  const last = end ?? times.at(-1) ?? 0,
    first = times[0] ?? 0,
    values = lines.flatMap((l) => l.values).filter((v): v is number => v !== null),
    low = Math.min(0, ...values),
    high = Math.max(1, ...values) * 1.05
  const x = (s: number): number => box.left + ((s - first) / (last - first || 1)) * (width - box.left - box.right),
    y = (v: number): number => box.top + (1 - (v - low) / (high - low)) * (height - box.top - box.bottom),
    n = (v: number): string => v.toFixed(1)
  // each value holds over its interval; a gap breaks the line
  const path = (of: readonly (number | null)[]): string =>
    of
      .map((v, i) => {
        if (v === null) return ''
        const joined = i > 0 && of[i - 1] !== null && of[i - 1] !== undefined
        return `${joined ? 'L' : 'M'}${n(x(times[i] as number))} ${n(y(v))}H${n(x(times[i + 1] ?? last))}`
      })
      .join('')
  const every = [900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800].find((s) => (last - first) / s <= 10) ?? 2_592_000,
    days = every >= 86_400
  const hours: number[] = []
  for (let s = Math.ceil(first / every) * every; s <= last; s += every) hours.push(s)
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui,sans-serif" font-size="12">`,
    `<title>${escaped(t(label))}</title><rect width="${width}" height="${height}" fill="#ffffff"/>`,
    band ? `<rect x="${n(x(band.from))}" y="${box.top}" width="${n(x(band.to) - x(band.from))}" height="${height - box.top - box.bottom}" fill="#e3edeb"/>` : '',
    ...ticks(low, high).map((v) => `<path d="M${box.left} ${n(y(v))}H${width - box.right}" stroke="#d5dedb"/><text x="${box.left - 8}" y="${n(y(v) + 4)}" text-anchor="end" fill="#4c5e5a">${escaped(plain(v))}</text>`),
    ...hours.map((s) => `<path d="M${n(x(s))} ${height - box.bottom}v5" stroke="#4c5e5a"/><text x="${n(x(s))}" y="${height - box.bottom + 19}" text-anchor="middle" fill="#4c5e5a">${escaped(when(s * 1000, zone, days ? 'date' : 'time'))}</text>`),
    ...lines.map((l) => `<path d="${path(l.values)}" fill="none" stroke="${paper[l.colour] ?? '#14211f'}" stroke-width="${l.width ?? 2}"${l.dash ? ` stroke-dasharray="${l.dash.join(' ')}"` : ''}/>`),
    ...lines.map((l, i) => `<path d="M${box.left + i * 190} 16h26" stroke="${paper[l.colour] ?? '#14211f'}" stroke-width="${l.width ?? 2}"${l.dash ? ` stroke-dasharray="${l.dash.join(' ')}"` : ''}/><text x="${box.left + i * 190 + 32}" y="20" fill="#14211f">${escaped(t(l.key))}</text>`),
    `<text x="8" y="20" fill="#4c5e5a">${escaped(t('dispatch.kW'))}</text><text x="${width - box.right}" y="${height - 6}" text-anchor="end" fill="#4c5e5a">${escaped(`${when(first * 1000, zone, 'day')}, ${zone}`)}</text></svg>`,
  ]
  return parts.join('\n')
}

const paper: Readonly<Record<string, string>> = { '--c-actual': '#0b62c4', '--c-target': '#b0460a', '--c-baseline': '#4c5e5a', '--soft': '#7a8a86', '--bad': '#a81c27', '--warn': '#7d4a00' }

/** The same picture in pixels, twice as many as on paper. */
export async function chartPng(svg: string): Promise<Blob> {
  const picture = new Image()
  picture.src = `data:image/svg+xml;base64,${btoa(String.fromCharCode(...new TextEncoder().encode(svg)))}`
  await picture.decode()
  const canvas = document.createElement('canvas')
  canvas.width = width * 2
  canvas.height = height * 2
  canvas.getContext('2d')!.drawImage(picture, 0, 0, canvas.width, canvas.height)
  return new Promise((done, fail) => canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error('no picture'))), 'image/png'))
}
