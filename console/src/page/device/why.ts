import { energy, power, when } from '../../format.ts'
import { serverNow, zone } from '../../session.ts'
import { t, word } from '../../text/index.ts'
import type { Everything } from './everything.ts'

/** The cause, most certain first. Each is a fact that the server holds, none is guessed. */
export function why(e: Everything): string {
  const z = zone(),
    { resource: r, point, station, certificate } = e,
    last = e.deliveries[0],
    at = (iso: string | null | undefined): string => when(iso, z),
    reason = last?.reason ?? '–'
  const active = e.enrolments.find((x) => x.state === 'active')
  if (certificate?.state === 'revoked') return t('why.revoked', { at: at(certificate.revokedAt), reason: certificate.reason ?? '–' })
  if (certificate && Date.parse(certificate.notAfter) < serverNow()) return t('why.expired', { at: at(certificate.notAfter) })
  if (r.bindings.length === 0) return t('why.noBinding')
  if (station && station.registration !== 'accepted') return t('why.notAccepted', { state: station.registration })
  if (!last) {
    if (!active) return t('why.notEnrolled', { point: point.name, state: word('state', e.enrolments.at(-1)?.state ?? 'notEnrolled') })
    const out = e.optOuts.find((o) => o.to === null || Date.parse(o.to) > serverNow())
    return out ? t('why.optOut', { until: out.to ? at(out.to) : '–', reason: out.reason }) : t('why.neverAsked')
  }
  switch (last.state) {
    case 'optedOut':
      return t('why.optedOut', { at: at(last.at), reason })
    case 'rejected':
      return t('why.rejected', { at: at(last.at), reason })
    case 'noComms':
      return station
        ? station.online
          ? t('why.noComms.online', { sent: at(last.sentAt), reason })
          : t('why.noComms.offline', { seen: at(station.lastSeen), sent: at(last.sentAt) })
        : t('why.noComms', { sent: at(last.sentAt), reason })
    case 'cancelled':
      return t('why.cancelled', { at: at(last.at), reason })
    case 'superseded':
      return t('why.superseded', { at: at(last.at), reason })
    case 'partial':
      return t('why.partial', { at: at(last.at), reason })
    case 'queued':
      return t('why.queued', { attempts: last.attempts })
    case 'sent':
      return t('why.sent', { sent: at(last.sentAt) })
  }
  const own = e.progress?.points.find((p) => p.servicePoint === r.servicePoint)
  if (own && own.asked_kWh > 0 && own.delivered_kWh !== null && own.delivered_kWh < own.asked_kWh * 0.1)
    return t('why.zero', { delivered: energy(own.delivered_kWh), asked: energy(own.asked_kWh) })
  return t('why.fine', { state: word('state', last.state), at: at(last.at), power: power(last.allocated_W / 1000) })
}
