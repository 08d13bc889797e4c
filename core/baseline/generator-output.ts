/** CORE-154: delivered = generation above the typical; `noExport` caps both at the site's own load first, so that export earns nothing. */
export function generatorOutput(input: { generation_kW: readonly number[]; typicalGeneration_kW?: readonly number[] | undefined; siteLoad_kW?: readonly number[] | undefined; noExport?: boolean }): number[] {
  const { generation_kW, typicalGeneration_kW, siteLoad_kW, noExport = false } = input
  return generation_kW.map((g, i) => {
    const typical = typicalGeneration_kW?.[i] ?? 0, load = noExport ? Math.max(0, siteLoad_kW?.[i] ?? 0) : Infinity
    return Math.max(0, Math.min(g, load) - Math.min(typical, load))
  })
}
