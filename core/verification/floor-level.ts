/** CORE-171: where the zero floor sits is a program field; the levels differ by large amounts. */
export type FloorLevel = 'none' | 'portfolioEvent' | 'portfolioInterval' | 'meterInterval'

/** Energy of an event at each floor level; `delivered[i][m]` is the kW of meter m in interval i. */
export function energyByFloor(delivered: readonly (readonly number[])[], hours: readonly number[]): Record<FloorLevel, number> {
  let none = 0, portfolioInterval = 0, meterInterval = 0
  delivered.forEach((row, i) => {
    const sum = row.reduce((a, b) => a + b, 0), h = hours[i]!
    none += sum * h
    portfolioInterval += Math.max(0, sum) * h
    meterInterval += row.reduce((a, b) => a + Math.max(0, b), 0) * h
  })
  return { none, portfolioEvent: Math.max(0, none), portfolioInterval, meterInterval }
}
