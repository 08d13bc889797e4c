import type { OperatorClient } from '#cli/client.js'
import { inParallel, type Site } from '#cli/story/provision.js'
import type { StoryPlan } from '#cli/story/plan.js'
import { history } from '#sim/load-model.js'

/** 45 days of 15-minute readings of every point up to the story's beginning, through the public import: CSV, one request for a few points. */
export async function loadHistory(operator: OperatorClient, plan: StoryPlan, fleet: readonly Site[], progress: (rows: number) => void): Promise<number> {
  let loaded = 0
  const groups = Array.from({ length: Math.ceil(fleet.length / 4) }, (_, i) => fleet.slice(i * 4, i * 4 + 4))
  await inParallel(groups, 3, async (sites) => {
    const answer = await patiently(() => operator.send('POST', '/readings', csv(plan, sites), { 'content-type': 'text/csv' }))
    if (answer.status !== 200) throw new Error(`the history was refused (${answer.status}): ${JSON.stringify(answer.body).slice(0, 500)}`)
    const body = answer.body as { accepted: number; duplicates: number }
    loaded += body.accepted + body.duplicates
    progress(loaded)
  })
  return loaded
}

/** A busy server says 503 and means it: the same rows again are the same rows (CORE-013), so asking again does no harm. */
async function patiently(ask: () => ReturnType<OperatorClient['send']>): ReturnType<OperatorClient['send']> {
  for (let tries = 1; ; tries++) {
    const answer = await ask()
    if (answer.status !== 503 || tries === 5) return answer
    await new Promise((wait) => setTimeout(wait, 1000 * tries))
  }
}

function csv(plan: StoryPlan, sites: readonly Site[]): string {
  const lines = ['servicePoint,start,minutes,Wh,channel']
  for (const { device } of sites) {
    for (const row of history(device.site, plan.historyFrom, plan.opens, 15)) {
      const start = new Date(row.start * 1000).toISOString()
      lines.push(`${device.servicePoint},${start},15,${Math.round(row.import_Wh)},import`)
      if (row.export_Wh > 0) lines.push(`${device.servicePoint},${start},15,${Math.round(row.export_Wh)},export`)
    }
  }
  return `${lines.join('\n')}\n`
}
