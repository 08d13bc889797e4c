import { ApiError } from '../api.ts'

/** What the server says of single fields, by their path (`/limits/maxOrder_kW`). */
export function faultsOf(error: unknown): Record<string, string> {
  const faults = error instanceof ApiError ? (error.problem.faults ?? []) : []
  return Object.fromEntries(faults.flatMap((f) => (f.path ? [[f.path, f.reason]] : [])))
}
