import type { Target } from '#conformance/runner.js'

/** Procedures of EST count their secrets from 0 to 12. */
const wanted = 13

/**
 * A one-time secret works once, so a second run against the same EST server would be refused for good reason. A target with an operator's API (`operator-secrets`)
 * gives new ones before each run: POST `operator`/api/v1/vendors/{vendor}/secrets. Any other target is as it was.
 */
export async function withFreshSecrets(target: Target, nonce: string): Promise<Target> {
  if (target.subject !== 'est' || !target.capabilities.has('operator-secrets')) return target
  const { operator, operatorToken, vendor } = target.values
  const answer = await fetch(`${String(operator)}/api/v1/vendors/${String(vendor)}/secrets`, {
    method: 'POST', headers: { 'authorization': `Bearer ${String(operatorToken)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ hwSerialNums: Array.from({ length: wanted }, (_, i) => `EST-${nonce}-${String(i).padStart(2, '0')}`) }),
  })
  if (answer.status !== 201) throw new Error(`the operator's API gives no new EST secrets: ${answer.status}`)
  const { items } = await answer.json() as { items: { hwSerialNum: string; secret: string }[] }
  return { ...target, values: { ...target.values, secrets: items } }
}
