import { age } from '../../format.ts'
import { serverNow, useTick } from '../../session.ts'
import { type Key, t } from '../../text/index.ts'
import type { Delivery, Progress } from '../../types.ts'
import { D, Time } from '../../part/basics.tsx'
import { type Everything, order } from './everything.ts'
import { whenTime } from './explanation.tsx'

interface Step {
  key: Key
  done: boolean
  at?: string | null
  note?: string
}

export function Steps({ e, progress }: { e: Everything; progress: Progress | undefined }) {
  const { dispatch: d, deliveries, performance: p, run } = e,
    n = deliveries.length,
    reached = order.indexOf(d.state),
    now = serverNow()
  useTick(2000)
  const first = (pick: (x: Delivery) => string | null): string | null =>
    deliveries
      .map(pick)
      .filter((x): x is string => x !== null)
      .sort()[0] ?? null
  const sent = deliveries.filter((x) => x.sentAt !== null).length,
    heard = deliveries.filter(
      (x) => x.acknowledgedAt !== null || ['accepted', 'started', 'completed', 'optedOut', 'rejected', 'received'].includes(x.state),
    ).length
  const total = progress?.intervals.filter((i) => i.phase === 'event').length ?? 0,
    began = Date.parse(d.start) <= now && d.state !== 'pendingRelease'
  const steps: Step[] = [
    { key: 'step.ordered', done: true, at: d.createdAt, note: d.createdBy },
    ...(d.releasedBy || d.state === 'pendingRelease' ? [{ key: 'step.released' as Key, done: d.releasedBy !== null, note: d.releasedBy ?? '' }] : []),
    { key: 'step.sent', done: n > 0 && sent === n, at: first((x) => x.sentAt), note: t('common.of', { n: sent, total: n }) },
    {
      key: 'step.acknowledged',
      done: n > 0 && heard + deliveries.filter((x) => x.state === 'noComms' || x.state === 'cancelled').length >= n,
      at: first((x) => x.acknowledgedAt),
      note: t('common.of', { n: heard, total: n }),
    },
    {
      key: 'step.active',
      done: began,
      at: began ? d.start : null,
      note: began ? '' : age(now - Date.parse(d.start)) && whenTime(d.start, d.timeZone),
    },
    {
      key: 'step.measured',
      done: total > 0 && (progress?.intervalsDone ?? 0) >= total,
      note: t('step.intervals', { n: progress?.intervalsDone ?? 0, total }),
    },
    { key: 'step.verified', done: reached >= 4, at: p.computedAt ?? null },
    { key: 'step.settled', done: reached >= 5, at: run?.createdAt ?? null },
  ]
  const over = d.state === 'cancelled' || d.state === 'rejected',
    current = steps.findIndex((s) => !s.done)
  return (
    <ol class="steps" aria-label={t('step.label')}>
      {steps.map((s, i) => (
        <li key={s.key} class={s.done ? 'done' : i === current && !over ? 'now' : ''} data-step={s.key.slice(5)} data-done={s.done}>
          <strong>
            <span aria-hidden="true">{s.done ? '✓ ' : i === current && !over ? '● ' : '○ '}</span>
            {t(s.key)}
          </strong>
          <span class="hide">{t(s.done ? 'step.done' : i === current ? 'step.now' : 'step.open')}</span>
          <div class="soft">
            {s.at && <Time at={s.at} in={d.timeZone} style="time" />} <D>{s.note ?? ''}</D>
          </div>
        </li>
      ))}
    </ol>
  )
}
