// An OpenID provider on this machine, with a page of its own on which the person says yes: OpenID Connect Core 1.0 §3.1, PKCE checked.
import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

const parsed = async (request) => {
  let body = ''
  for await (const part of request) body += String(part)
  return new URLSearchParams(body)
}

export async function provider(person) {
  const { privateKey, publicKey } = await generateKeyPair('RS256'), jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' }, codes = new Map()
  let issuer = ''
  const token = async (wish) => {
    const asked = codes.get(wish.get('code'))
    codes.delete(wish.get('code'))
    if (!asked || createHash('sha256').update(wish.get('code_verifier') ?? '').digest('base64url') !== asked.get('code_challenge')) return undefined
    const claims = { nonce: asked.get('nonce'), preferred_username: person.name, groups: person.groups }
    return { access_token: 'a', token_type: 'Bearer', id_token: await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k' }).setIssuer(issuer).setAudience(asked.get('client_id')).setIssuedAt().setExpirationTime('5m').setSubject(`subject of ${person.name}`).sign(privateKey) }
  }
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, issuer), json = (body, status = 200) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (url.pathname === '/.well-known/openid-configuration') return json({ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`, response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'] })
    if (url.pathname === '/jwks') return json({ keys: [jwk] })
    if (url.pathname === '/token') { const found = await token(await parsed(request)); return json(found ?? { error: 'invalid_grant' }, found ? 200 : 400) }
    if (url.pathname === '/authorize') return response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>Provider</title><link rel="icon" href="data:,"><a id="yes" href="/yes${url.search.replaceAll('"', '')}">Continue</a>`)
    if (url.pathname !== '/yes') return response.writeHead(404).end()
    const code = randomBytes(16).toString('hex')
    codes.set(code, url.searchParams)
    return response.writeHead(302, { location: `${url.searchParams.get('redirect_uri')}?code=${code}&state=${url.searchParams.get('state')}` }).end()
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  issuer = `http://127.0.0.1:${server.address().port}`
  return { issuer, close: () => { server.closeAllConnections(); server.close() } }
}
