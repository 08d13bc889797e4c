/**
 * The budgets of stack.md for two cores: `npm run bench` fails below `least` or above `most`. A figure with a `ratio` bound is
 * held against the bare baseline of the same run, so that a slow machine does not decide.
 */
export interface Budget { readonly least?: number; readonly most?: number; readonly leastRatio?: number }

export const budgets: Readonly<Record<string, Budget>> = {
  'readings ingest': { least: 50_000 },
  'merit 10000': { most: 250 },
  'merit 100000': { most: 1000 },
  'order 10000': { most: 2000 },
  'history violations': { most: 0 },
  'history unexpected answers': { most: 0 },
  'history deadlocks': { most: 0 },
  'happenings 10000': { most: 2000 },
  'stop 20000, last handed over': { most: 1000 },
  'stop 20000, read-only, last handed over': { most: 1000 },
  'caiso 10 in 10': { most: 5 },
  'settlement month': { most: 60 },
  'settlement memory': { most: 2048 },
  'import csv': { most: 60 },
  'vtn list cached': { least: 15_000 },
  'vtn list changed': { least: 900 },
  'vtn list 304': { least: 35_000 },
  'csip list cached': { least: 20_000 },
  'csip list changed': { least: 3000 },
  'mirror meter reading of 300': { most: 2.5 },
  'csip ccm8 kept alive': { least: 12_000, leastRatio: 0.55 },
  'csip handshakes full': { least: 300, leastRatio: 0.7 },
  'csip handshakes resumed': { least: 500, leastRatio: 0.7 },
  'csip notifications, final state lost': { most: 0 },
  'csip notifications, lost after an outage': { most: 0 },
  'csip notification after its change p99': { most: 2000 },
  'csip mirror posts': { least: 1000 },
  'csip 100000 devices paged': { most: 30 },
  'csip 100000 devices, one control visible': { most: 5 },
  'csip 100000 devices, memory': { most: 1536 },
  'csip 100000 devices, ready again': { most: 10 },
  'csip requests under notifications p99': { most: 250 },
  'ocpp rpc calls': { least: 20_000 },
  'ocpp transaction events stored': { least: 3000 },
  'ocpp meter values stored': { least: 10_000 },
  'ocpp idle station ws': { most: 40 },
  'ocpp idle station wss': { most: 60 },
  'ocpp storm over tls': { most: 60 },
  'ocpp storm event loop p99': { most: 250 },
  'ocpp storm over mtls': { most: 90 },
  'ocpp storm over mtls event loop p99': { most: 250 },
  'ocpp restart, all back': { most: 120 },
  'ocpp command to another process p50': { most: 2 },
  'ocpp command to another process p99': { most: 20 },
  'ocpp one order to all': { most: 30 },
  'ocpp silent stations reported': { most: 60 },
  'help': { most: 300 },
  'start first': { most: 5000 },
  'start later': { most: 2000 },
  'dispatch timer late by at most': { most: 100 },
  'job latency p95': { most: 50 },
  'readings ingest event loop p99': { most: 20 },
  'vtn post event': { least: 500 },
  'vtn post event p99': { most: 50 },
  'vtn targeted first reads': { least: 1500 },
  'vtn targeted first reads p99': { most: 50 },
  'vtn targeted distinct vens': { least: 1500 },
  'vtn targeted distinct vens p99': { most: 50 },
  'vtn post event with 1000 webhooks p50': { most: 20 },
  'vtn post event with 1000 mqtt vens p50': { most: 40 },
  'vtn webhooks drained': { least: 1000 },
  'est enrolments': { least: 200 },
  'est batch of 10000': { most: 60 },
}

/** What is wrong with a figure, undefined when it holds. On a slower machine only the ratio decides where a budget has one. */
export function broken(figure: { name: string; value: number; ratio?: number }): string | undefined {
  const budget = budgets[figure.name]
  if (!budget) return undefined
  if (budget.leastRatio !== undefined && figure.ratio !== undefined) {
    return figure.ratio < budget.leastRatio ? `ratio ${figure.ratio} is below ${budget.leastRatio}` : undefined
  }
  if (budget.least !== undefined && figure.value < budget.least) return `${figure.value} is below ${budget.least}`
  return budget.most !== undefined && figure.value > budget.most ? `${figure.value} is above ${budget.most}` : undefined
}
