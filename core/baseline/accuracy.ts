export interface Accuracy {
  /** null when the mean actual load is not above 0; then `cvrmse` on the absolute mean stands in, flagged. */
  readonly rrmse: number | null
  readonly cvrmse?: number | null
  readonly bias: number | null
  readonly eligible: boolean
  readonly failed: readonly ('rrmse' | 'bias')[]
  readonly flags: readonly 'CVRMSE_ABS_MEAN'[]
}

/** CORE-165: RRMSE = sqrt(mean((b-a)²)) / mean(a), bias = Σ(b-a)/Σa over event-like hours of non-event days. undefined: nothing to compare. */
export function accuracy(baseline: readonly number[], actual: readonly number[], limits: { rrmseMax?: number | undefined; biasMax?: number | undefined } = {}): Accuracy | undefined {
  const n = Math.min(baseline.length, actual.length)
  if (n === 0) return undefined
  let squares = 0, difference = 0, sum = 0, absolute = 0
  for (let i = 0; i < n; i++) {
    const b = baseline[i]!, a = actual[i]!
    squares += (b - a) ** 2
    difference += b - a
    sum += a
    absolute += Math.abs(a)
  }
  const rmse = Math.sqrt(squares / n), computable = sum > 0
  // Interpretation (CORE-165 "abs mean"): |mean(a)|, or mean(|a|) where import and export cancel exactly.
  const scale = sum === 0 ? absolute / n : Math.abs(sum / n)
  const rrmse = computable ? rmse / (sum / n) : null
  const cvrmse = computable ? undefined : scale > 0 ? rmse / scale : null
  const bias = sum === 0 ? null : difference / sum
  const failed: ('rrmse' | 'bias')[] = []
  const measure = rrmse ?? cvrmse ?? Infinity
  if (measure > (limits.rrmseMax ?? 0.2)) failed.push('rrmse')
  if (limits.biasMax !== undefined && (bias === null || Math.abs(bias) > limits.biasMax)) failed.push('bias')
  return { rrmse, ...(computable ? {} : { cvrmse: cvrmse ?? null }), bias, eligible: failed.length === 0, failed, flags: computable ? [] : ['CVRMSE_ABS_MEAN'] }
}
