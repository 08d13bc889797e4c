import { encode } from 'uqr'
import { t } from '../text/index.ts'

/** Modules of quiet ground around the signs, as readers want it (ISO/IEC 18004). */
const quiet = 4

/** A text for a telephone's camera: black on white in every theme, drawn here, so that no secret goes elsewhere to become a picture. */
export function QrCode({ of }: { of: string }) {
  const { data, size } = encode(of, { ecc: 'M', border: quiet })
  const path = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('')
  return (
    <figure class="qr">
      <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={t('login.qr')} shape-rendering="crispEdges">
        <rect width={size} height={size} fill="#fff" />
        <path d={path} fill="#000" />
      </svg>
      <figcaption class="soft">{t('login.qr')}</figcaption>
    </figure>
  )
}
