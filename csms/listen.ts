import { constants } from 'node:crypto'
import { createServer as createHttp, type Server } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { handshakeLine, type HandshakeLimits } from './handshake-line.js'

/** Header size 8 KiB (OCPP-012). Node looks for those whose time is over only so often, every 30 s by itself (REL-044). */
const common = { maxHeaderSize: 8192, headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 5000, connectionsCheckingInterval: 1000 }

/** Security profile 1: plain WebSocket. */
export const plainServer = (): Server => createHttp(common)

/** OCPP-025: the four suites of the standard and those of TLS 1.3; Node's own list would also take CBC-SHA1. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384', 'AES128-GCM-SHA256', 'AES256-GCM-SHA384',
].join(':')

/** What a context of this door is made of beside its certificates; said again at each reload, or node:tls forgets it. */
export const csmsTls = { minVersion: 'TLSv1.2', ciphers, honorCipherOrder: true, secureOptions: constants.SSL_OP_NO_RENEGOTIATION } as const

/**
 * Security profiles 2 and 3: TLS 1.2 and up (OCPP-024), an ECDSA and an RSA certificate on one port. A client certificate is
 * asked for; whether it is needed, and whether it holds, is decided per station (identity.ts), never by `authorized` (SEC-006).
 */
export function tlsServer(options: { key: (string | Buffer)[]; cert: (string | Buffer)[]; ca?: readonly (string | Buffer)[]; handshakes?: Partial<HandshakeLimits> }): Server {
  const server = createHttps({
    ...common, key: options.key, cert: options.cert, ...(options.ca ? { ca: [...options.ca] } : {}),
    ...csmsTls, requestCert: options.ca !== undefined, rejectUnauthorized: false, handshakeTimeout: 10_000,
  })
  const line = handshakeLine(server, options.handshakes), closeAll = server.closeAllConnections.bind(server)
  // Those in the line are not yet connections of the http server.
  server.closeAllConnections = () => {
    line.end()
    closeAll()
  }
  return server
}
