/**
 * Signed messages (OCPP 2.0.1 Part 4, chapter 7; OCPP-071): the action carries `-Signed`, the payload is a JWS in flattened JSON
 * serialization whose payload is the message's own. It is unwrapped and processed; verification is optional and not done, as the
 * transport has already proved who speaks. The answer is not signed, which the standard allows.
 */
export const signedAction = (action: string): string | undefined => (action.endsWith('-Signed') ? action.slice(0, -7) : undefined)

const decoded = (text: unknown): unknown => {
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]+=*$/.test(text)) return undefined
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}

/** The payload within; undefined, which no schema accepts, when it is no JWS or one of another action. */
export function unwrapped(action: string, jws: unknown): unknown {
  if (jws === null || typeof jws !== 'object') return undefined
  const { payload, protected: header, signature } = jws as Record<string, unknown>
  const head = decoded(header) as { OCPPAction?: unknown } | undefined
  if (typeof signature !== 'string' || head === null || typeof head !== 'object') return undefined
  // A header that names another action was signed for that one.
  return head.OCPPAction === undefined || head.OCPPAction === action ? decoded(payload) : undefined
}
