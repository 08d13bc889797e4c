/**
 * CORE-153: a customer promises to stay below its firm service level (FSL). Reference is the peak load contribution (PLC);
 * metered load counts with the loss factor.
 */
export function maxBaseLoad(input: { plc_kW: number; fsl_kW: number; lossFactor: number; metered_kW: readonly number[] }) {
  const { plc_kW, fsl_kW, lossFactor, metered_kW } = input
  const reduction_kW = metered_kW.map((m) => Math.max(0, plc_kW - lossFactor * m))
  const commitment_kW = plc_kW - fsl_kW
  const eventAverage_kW = reduction_kW.reduce((a, b) => a + b, 0) / reduction_kW.length
  return {
    commitment_kW, reduction_kW,
    // A product of two decimals is one ulp off at the limit; a service level is not broken by that.
    compliant: metered_kW.map((m) => lossFactor * m <= fsl_kW + 1e-9),
    eventAverage_kW, shortfall_kW: Math.max(0, commitment_kW - eventAverage_kW),
  }
}
