import { useState } from 'preact/hooks'
import { get, post } from '../../api.ts'
import { when } from '../../format.ts'
import { useLoad } from '../../live.ts'
import { go } from '../../route.ts'
import { may, zone } from '../../session.ts'
import { type Key, t, word } from '../../text/index.ts'
import type { Run } from '../../types.ts'
import { Act, Await, D, Facts, Field, State, text, Time } from '../../part/basics.tsx'

export interface Dispute {
  id: string
  version: number
  createdAt: string
  statement: string
  run: string
  servicePoint: string
  line: string | null
  reason: string
  party: string | null
  evidence: string[]
  state: string
  answerBy: string
  adjustment: string | null
  history: { from: string | null; to: string; at: string; by: string; reason?: string }[]
}

const moves: Readonly<Record<string, readonly string[]>> = {
  opened: ['underReview'],
  underReview: ['upheld', 'partlyUpheld', 'rejected'],
  upheld: ['closed'],
  partlyUpheld: ['closed'],
  rejected: ['closed'],
}

export function DisputePage({ id }: { id: string }) {
  const found = useLoad(() => get<Dispute>(`/disputes/${id}`), [id], { when: (m) => m.entity === id }),
    [f, set] = useState({ reason: '', adjustment: '' })
  return (
    <Await of={found}>
      {(d) => {
        const move = (to: string) => async (): Promise<void> => {
          await post(`/disputes/${d.id}/transitions`, {
            to,
            version: d.version,
            ...(f.reason ? { reason: f.reason } : {}),
            ...(f.adjustment ? { adjustment: f.adjustment } : {}),
          })
          set({ reason: '', adjustment: '' })
          found.reload()
        }
        const again = async (): Promise<void> => {
          const r = await get<Run>(`/settlement-runs/${d.run}`),
            made = await post<Run>('/settlement-runs', { program: r.program, from: r.from, to: r.to, reason: `dispute ${d.id}` })
          go(`/settlement/${made.id}`)
        }
        return (
          <>
            <div class="row">
              <h1 class="grow">{t('dispute.title')}</h1>
              <State of={d.state} />
            </div>
            <section class="card">
              <Facts
                of={[
                  ['dispute.reason', d.reason],
                  ['dispute.statement', <a href={`#/statements/${d.statement}`}>{t('statement.title')}</a>],
                  [
                    'dispute.line',
                    d.line ? (
                      <a href={`#/verification/${d.line}`} translate={false}>
                        {d.line}
                      </a>
                    ) : (
                      <span>{t('dispute.whole')}</span>
                    ),
                  ],
                  ['dispute.party', d.party ?? '–'],
                  ['dispute.answerBy', <Time at={d.answerBy} style="day" />],
                  ['dispute.evidence', d.evidence.join('\n') || '–'],
                  ['dispute.adjustment', d.adjustment ?? '–'],
                ]}
              />
            </section>
            {may('admin', 'settlement') && (moves[d.state]?.length ?? 0) > 0 && (
              <section class="card">
                <h2>{t('dispute.move')}</h2>
                <div class="form">
                  <Field label="dispute.comment">
                    <input name="comment" value={f.reason} onInput={text((v) => set({ ...f, reason: v }))} />
                  </Field>
                  <Field label="dispute.adjustment">
                    <input name="adjustment" inputMode="decimal" value={f.adjustment} onInput={text((v) => set({ ...f, adjustment: v }))} />
                  </Field>
                </div>
                <div class="row">
                  {moves[d.state]!.map((to) => (
                    <Act key={to} label={`dispute.to.${to}` as Key} do={move(to)} />
                  ))}
                  <Act label="dispute.recompute" do={again} />
                </div>
              </section>
            )}
            <section class="card">
              <h2>{t('dispute.history')}</h2>
              <ul>
                {d.history.map((h) => (
                  <li key={h.at + h.to}>
                    <Time at={h.at} in={zone()} /> <D>{h.by}</D>: {word('state', h.to)} {h.reason && <D class="soft">“{h.reason}”</D>}
                  </li>
                ))}
              </ul>
            </section>
          </>
        )
      }}
    </Await>
  )
}
