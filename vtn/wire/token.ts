import { Type, type Static } from 'typebox'
import { uri } from '#vtn/wire/field.js'

/** OA-023: RFC 6749 client credentials. */
export const ClientCredentialRequest = Type.Object({
  grant_type: Type.Literal('client_credentials'),
  client_id: Type.String({ minLength: 1, maxLength: 4096 }),
  client_secret: Type.String({ minLength: 1, maxLength: 4096 }),
  scope: Type.Optional(Type.String({ minLength: 0, maxLength: 4096 })),
})
export type ClientCredentialRequest = Static<typeof ClientCredentialRequest>

/** OA-024: `scope` is one string, not an array. */
export const ClientCredentialResponse = Type.Object({
  access_token: Type.String({ minLength: 1, maxLength: 4096 }),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Optional(Type.Integer()),
  refresh_token: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
  scope: Type.Optional(Type.String({ minLength: 0, maxLength: 4096 })),
})
export type ClientCredentialResponse = Static<typeof ClientCredentialResponse>

export const authErrors = ['invalid_request', 'invalid_client', 'invalid_grant', 'invalid_scope', 'unauthorized_client', 'unsupported_grant_type'] as const
/** OA-025. */
export const AuthError = Type.Object({
  error: Type.Enum([...authErrors]),
  error_description: Type.Optional(Type.String()),
  error_uri: Type.Optional(uri('Page about the error.')),
})

/** OA-021. */
export const AuthServerInfo = Type.Object({ tokenURL: uri('Absolute address of the token endpoint.') })
