import { Type } from 'typebox'

/** What every error looks like, for the OpenAPI document. */
export const problemSchema = Type.Object({
  type: Type.String(), title: Type.String(), status: Type.Integer(), detail: Type.String(), instance: Type.String(),
  faults: Type.Optional(Type.Array(Type.Object({ path: Type.String(), reason: Type.String() }))),
  rows: Type.Optional(Type.Array(Type.Object({ row: Type.Integer(), field: Type.String(), reason: Type.String() }))),
  checks: Type.Optional(Type.Array(Type.Object({ check: Type.String(), detail: Type.String() }))),
}, { description: 'RFC 9457 problem' })

export const openapiHead = (version: string) => ({
  openapi: '3.1.0',
  info: {
    title: 'Loadstone operator API', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    description: 'Programs, enrolment, dispatch, readings, verification and settlement. Power in kW, positive in the direction of the program; energy in Wh or kWh; times RFC 3339; money as decimal text. Consumption is positive.',
  },
  servers: [{ url: '/' }],
  components: { securitySchemes: { bearer: { type: 'http' as const, scheme: 'bearer' } } },
  security: [{ bearer: [] }],
})
