import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { go } from '../route.ts'
import { count } from '../format.ts'
import { t, word } from '../text/index.ts'
import type { Device } from '../types.ts'
import { D, State } from './basics.tsx'
import { deviceState, layout, type Spot } from './map-layout.ts'

export { deviceState }

const shapes: Readonly<Record<string, 'circle' | 'square' | 'cross' | 'triangle'>> = {
  started: 'circle',
  completed: 'circle',
  accepted: 'circle',
  noComms: 'cross',
  rejected: 'cross',
  cancelled: 'cross',
  optedOut: 'triangle',
  partial: 'triangle',
  superseded: 'triangle',
}
const colours = { circle: '--good', cross: '--bad', triangle: '--warn', square: '--soft' } as const

function resolved(name: string): string {
  const probe = document.createElement('i')
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const found = getComputedStyle(probe).color
  probe.remove()
  return found
}

/** All devices on one canvas, 10,000 smoothly: one path per shape, nothing per point in the document. The list carries the same for those who cannot see it. */
export function DeviceMap({ devices }: { devices: readonly Device[] }) {
  const canvas = useRef<HTMLCanvasElement>(null),
    view = useRef({ scale: 1, x: 0, y: 0 }),
    [over, setOver] = useState<Spot>(),
    plan = useMemo(() => layout(devices, t('device.byPlace')), [devices])
  const draw = useRef<() => void>(() => undefined)
  useEffect(() => {
    const el = canvas.current!,
      ctx = el.getContext('2d')!
    const fit = (): number => Math.min(el.clientWidth / plan.width, el.clientHeight / plan.height)
    let asked = 0
    const paint = (): void => {
      asked = 0
      const ratio = devicePixelRatio,
        k = fit() * view.current.scale
      el.width = el.clientWidth * ratio
      el.height = el.clientHeight * ratio
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
      ctx.clearRect(0, 0, el.clientWidth, el.clientHeight)
      const px = (x: number): number => (x - view.current.x) * k,
        py = (y: number): number => (y - view.current.y) * k
      ctx.strokeStyle = resolved('--line')
      ctx.fillStyle = resolved('--soft')
      ctx.font = '12px system-ui'
      for (const b of plan.blocks) {
        ctx.strokeRect(px(b.x), py(b.y), b.width * k, b.height * k)
        ctx.fillText(`${b.name || '–'} (${count(b.n)})`, px(b.x), py(b.y) - 4)
      }
      const r = Math.max(1, Math.min(9, k * 0.36))
      for (const shape of ['square', 'circle', 'triangle', 'cross'] as const) {
        ctx.beginPath()
        for (const s of plan.spots) {
          if ((shapes[s.state] ?? 'square') !== shape) continue
          const x = px(s.x),
            y = py(s.y)
          if (x < -r || y < -r || x > el.clientWidth + r || y > el.clientHeight + r) continue
          if (shape === 'circle') {
            ctx.moveTo(x + r, y)
            ctx.arc(x, y, r, 0, 6.2832)
          } else if (shape === 'square') ctx.rect(x - r * 0.7, y - r * 0.7, r * 1.4, r * 1.4)
          else if (shape === 'triangle') {
            ctx.moveTo(x, y - r)
            ctx.lineTo(x + r, y + r)
            ctx.lineTo(x - r, y + r)
            ctx.closePath()
          } else {
            ctx.moveTo(x - r, y - r)
            ctx.lineTo(x + r, y + r)
            ctx.moveTo(x + r, y - r)
            ctx.lineTo(x - r, y + r)
          }
        }
        const ink = resolved(colours[shape])
        if (shape === 'cross') {
          ctx.strokeStyle = ink
          ctx.lineWidth = Math.max(1.5, r / 3)
          ctx.stroke()
          ctx.lineWidth = 1
        } else {
          ctx.fillStyle = ink
          ctx.fill()
        }
      }
      el.dataset.points = String(plan.spots.length)
    }
    const soon = (): void => {
      if (!asked) asked = requestAnimationFrame(paint)
    }
    draw.current = soon
    soon()
    const at = (e: { offsetX: number; offsetY: number }): { x: number; y: number } => {
      const k = fit() * view.current.scale
      return { x: e.offsetX / k + view.current.x, y: e.offsetY / k + view.current.y }
    }
    const nearest = (e: MouseEvent): Spot | undefined => {
      const p = at(e)
      return plan.spots.find((s) => Math.abs(s.x - p.x) < 0.5 && Math.abs(s.y - p.y) < 0.5)
    }
    let grip: { x: number; y: number } | undefined,
      moved = false
    const down = (e: PointerEvent): void => {
      grip = at(e)
      moved = false
      el.setPointerCapture(e.pointerId)
    }
    const move = (e: PointerEvent): void => {
      if (!grip) {
        setOver(nearest(e))
        return
      }
      const p = at(e)
      if (Math.abs(p.x - grip.x) + Math.abs(p.y - grip.y) > 0.3) moved = true
      view.current = { ...view.current, x: view.current.x + grip.x - p.x, y: view.current.y + grip.y - p.y }
      soon()
    }
    const up = (e: PointerEvent): void => {
      grip = undefined
      const s = nearest(e)
      if (!moved && s) go(`/devices/${s.device.id}`)
    }
    const wheel = (e: WheelEvent): void => {
      e.preventDefault()
      const before = at(e),
        scale = Math.max(1, Math.min(60, view.current.scale * Math.exp(-e.deltaY / 400)))
      view.current = { ...view.current, scale }
      const after = at(e)
      view.current =
        scale === 1 ? { scale: 1, x: 0, y: 0 } : { scale, x: view.current.x + before.x - after.x, y: view.current.y + before.y - after.y }
      soon()
    }
    el.addEventListener('pointerdown', down)
    el.addEventListener('pointermove', move)
    el.addEventListener('pointerup', up)
    el.addEventListener('wheel', wheel, { passive: false })
    const wide = new ResizeObserver(soon)
    wide.observe(el)
    addEventListener('loadstone.theme', soon)
    return () => {
      wide.disconnect()
      cancelAnimationFrame(asked)
      removeEventListener('loadstone.theme', soon)
      el.removeEventListener('pointerdown', down)
      el.removeEventListener('pointermove', move)
      el.removeEventListener('pointerup', up)
      el.removeEventListener('wheel', wheel)
    }
  }, [plan])
  return (
    <section class="card">
      <p class="soft">{t(devices.some((d) => d.location) ? 'device.mapPlaced' : 'device.mapHelp')}</p>
      <div class="map-box">
        <canvas class="map" ref={canvas} role="img" aria-label={t('device.mapLabel', { n: count(devices.length) })} />
        {over && (
          <div class="map-tip">
            <D>{over.device.name}</D> <State of={over.state} />
          </div>
        )}
      </div>
      <p class="row soft">
        {t('device.legend')}:{' '}
        {[...new Set(plan.spots.map((s) => s.state))].map((s) => (
          <span key={s} class="row">
            <Mark shape={shapes[s] ?? 'square'} /> {word('state', s)}
          </span>
        ))}
      </p>
    </section>
  )
}

const Mark = ({ shape }: { shape: keyof typeof colours }) => (
  <svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true" class={`mark ${shape}`}>
    {shape === 'circle' ? (
      <circle r="5" />
    ) : shape === 'square' ? (
      <rect x="-4" y="-4" width="8" height="8" />
    ) : shape === 'triangle' ? (
      <path d="M0-5L5 5H-5Z" />
    ) : (
      <path d="M-4-4L4 4M4-4L-4 4" />
    )}
  </svg>
)
