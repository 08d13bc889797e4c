import { useState } from 'preact/hooks'
import { power } from '../../format.ts'
import { t } from '../../text/index.ts'
import { D } from '../../part/basics.tsx'
import { timeOf } from './curve.ts'

/** The next round number above; coarse ones are 1, 2 or 5 times a power of ten. */
function round(above: number, steps: readonly number[] = [1, 2, 5, 10]): number {
  const ten = 10 ** Math.floor(Math.log10(Math.max(above, 1e-6)))
  return (steps.find((n) => n * ten >= above) ?? 10) * ten
}

/** Bars that follow the finger or the mouse; the fields below it carry the same for the keyboard. */
export function CurveDraw({ values, at, signed, set }: { values: readonly number[]; at: readonly number[]; signed: boolean; set: (i: number, kW: number) => void }) {
  const [held, hold] = useState<number>(),
    top = held ?? round(Math.max(10, ...values.map(Math.abs)) * 1.2, [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]),
    low = signed ? -top : 0,
    grain = round(top / 100),
    y = (kW: number): number => ((top - kW) / (top - low)) * 100
  const draw = (e: PointerEvent): void => {
    const box = (e.currentTarget as SVGElement).getBoundingClientRect(),
      i = Math.min(values.length - 1, Math.max(0, Math.floor(((e.clientX - box.left) / box.width) * values.length))),
      raw = top - ((e.clientY - box.top) / box.height) * (top - low)
    set(i, Math.min(top, Math.max(low, Number((Math.round(raw / grain) * grain).toPrecision(10)))))
  }
  return (
    <div class="curve">
      <p class="soft">{t('curve.draw')}</p>
      <div class="curve-box">
        <D class="soft">{power(top)}</D>
        <svg
          viewBox={`0 0 ${values.length} 100`}
          preserveAspectRatio="none"
          aria-hidden="true"
          onPointerDown={(e) => {
            e.currentTarget.setPointerCapture(e.pointerId)
            hold(top)
            draw(e)
          }}
          onPointerMove={(e) => held !== undefined && draw(e)}
          onPointerUp={() => hold(undefined)}
          onPointerCancel={() => hold(undefined)}
        >
          {[0.25, 0.5, 0.75].map((f) => (
            <line key={f} class="grid" x1="0" x2={values.length} y1={f * 100} y2={f * 100} />
          ))}
          {values.map((kW, i) => (
            <rect key={i} x={i + 0.04} width="0.92" y={Math.min(y(kW), y(0))} height={Math.max(0.6, Math.abs(y(kW) - y(0)))} />
          ))}
        </svg>
        <div class="row curve-ends">
          <D class="soft">{timeOf(at[0]!)}</D>
          <span class="grow" />
          <D class="soft">{timeOf(at.at(-1)!)}</D>
        </div>
      </div>
    </div>
  )
}
