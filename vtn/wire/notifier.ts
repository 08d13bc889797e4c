import { Type, type Static } from 'typebox'

const Anonymous = Type.Object({ method: Type.Literal('ANONYMOUS') })
const Bearer = Type.Object({ method: Type.Literal('OAUTH2_BEARER_TOKEN'), username: Type.String({ description: 'The literal {clientID} means: your clientID.' }) })
const Certificate = Type.Object({ method: Type.Literal('CERTIFICATE'), caCert: Type.String(), clientCert: Type.String(), clientKey: Type.String() })

/** OA-135. */
export const MqttNotifierBindingObject = Type.Object({
  URIS: Type.Array(Type.String({ format: 'uri' })),
  serialization: Type.Literal('JSON'),
  authentication: Type.Union([Anonymous, Bearer, Certificate]),
})
export type MqttNotifierBindingObject = Static<typeof MqttNotifierBindingObject>

/** OA-134: WEBHOOK is always there. */
export const NotifiersResponse = Type.Object({ WEBHOOK: Type.Boolean(), MQTT: Type.Optional(MqttNotifierBindingObject) })

/** OA-136. */
export const NotifierTopicsResponse = Type.Object({
  topics: Type.Object({ CREATE: Type.Optional(Type.String()), UPDATE: Type.String(), DELETE: Type.String(), ALL: Type.Optional(Type.String()) }),
})
export type NotifierTopicsResponse = Static<typeof NotifierTopicsResponse>
