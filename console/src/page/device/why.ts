import { energy, power, when } from '../../format.ts'
import { serverNow, zone } from '../../session.ts'
import { t, word } from '../../text/index.ts'
import type { Everything } from './everything.ts'

type Delivery = Everything['deliveries'][number]
const at = (iso: string | null | undefined): string => when(iso, zone())

/** The cause, most certain first. Each is a fact that the server holds, none is guessed (UX-049). */
export function why(e: Everything): string {
  // an order that was taken back before it began says nothing about the device, as long as there is another
  const last = e.deliveries.find((d) => d.state !== 'cancelled' && d.state !== 'superseded') ?? e.deliveries[0]
  return cannotBeReached(e) ?? (last ? (ended(e, last) ?? quiet(e, last)) : neverAsked(e))
}

/** What keeps every order away, whatever the last one was. */
function cannotBeReached({ resource, certificate, station }: Everything): string | undefined {
  if (certificate?.state === 'revoked') return t('why.revoked', { at: at(certificate.revokedAt), reason: certificate.reason ?? '–' })
  if (certificate?.notAfter && Date.parse(certificate.notAfter) < serverNow()) return t('why.expired', { at: at(certificate.notAfter) })
  if (resource.bindings.length === 0) return t('why.noBinding')
  if (station && !station.boot) return t('why.neverConnected')
  if (station && station.registration !== 'accepted') return t('why.notAccepted', { state: station.registration })
  return undefined
}

function neverAsked({ enrolments, point, optOuts, stopped }: Everything): string {
  const active = enrolments.find((x) => x.state === 'active'),
    out = optOuts.find((o) => o.to === null || Date.parse(o.to) > serverNow())
  if (stopped) return t('why.stopped', { by: stopped.by, at: at(stopped.at), reason: stopped.reason || '–' })
  if (!active) return t('why.notEnrolled', { point: point.name, state: word('state', enrolments.at(-1)?.state ?? 'notEnrolled') })
  return out ? t('why.optOut', { until: out.to ? at(out.to) : t('why.open'), reason: out.reason }) : t('why.neverAsked')
}

/** Its part in the last order came to an end that has a name. */
function ended(e: Everything, last: Delivery): string | undefined {
  const reason = last.reason ?? '–',
    sent = at(last.sentAt)
  switch (last.state) {
    case 'optedOut':
      return t('why.optedOut', { at: at(last.at), reason })
    case 'rejected':
      return t('why.rejected', { at: at(last.at), reason })
    case 'noComms': {
      const seen = e.station ? e.station.lastSeen : (e.frames[0]?.at ?? null),
        connected = e.station ? e.station.online : seen !== null && last.sentAt !== null && seen > last.sentAt
      if (seen === null) return t('why.noComms', { sent, reason })
      return connected ? t('why.noComms.online', { sent, reason }) : t('why.noComms.offline', { seen: at(seen), sent })
    }
    case 'cancelled':
      return t(e.stopped ? 'why.stopped' : 'why.cancelled', { at: at(last.at), reason: e.stopped?.reason || reason, by: e.stopped?.by ?? '' })
    case 'superseded':
      return t('why.superseded', { at: at(last.at), reason })
    case 'partial':
      return t('why.partial', { at: at(last.at), reason })
    case 'queued':
      return t('why.queued', { attempts: last.attempts })
    case 'sent':
      return t('why.sent', { sent })
    default:
      return undefined
  }
}

/** It obeyed, as far as it says: its meter has the last word. */
function quiet(e: Everything, last: Delivery): string {
  const own = e.progress?.points.find((p) => p.servicePoint === e.resource.servicePoint)
  if (own && own.asked_kWh > 0 && own.delivered_kWh !== null && own.delivered_kWh < own.asked_kWh * 0.1)
    return t('why.zero', { delivered: energy(own.delivered_kWh), asked: energy(own.asked_kWh) })
  return t('why.fine', { state: word('state', last.state), at: at(last.at), power: power(last.allocated_W / 1000) })
}
