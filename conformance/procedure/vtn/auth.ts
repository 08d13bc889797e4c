import type { Matcher, Procedure, Step } from '#conformance/procedure.js'
import { call, either, makeProgram, newer, older, problem, proc } from '#conformance/procedure/vtn/steps.js'

const ask = (form: object, expect: Readonly<Record<string, Matcher>>, headers: object = {}): Step =>
  ({ say: `token request ${JSON.stringify(form)}`, do: 'http.request', with: { method: 'POST', path: '/auth/token', form, headers }, expect })
const good = { grant_type: 'client_credentials', client_id: '${ven_id}', client_secret: '${ven_secret}' }
const { grant_type: _g, ...withoutGrant } = good, { client_id: _i, ...withoutId } = good, { client_secret: _s, ...withoutSecret } = good
const token = { needs: ['token-endpoint'], tags: ['auth'] }
const clause = 'OpenADR 3.1 Definition, security; RFC 6749 §4.4, §5'

/** RFC 6749 §5.2: the request that is wrong, the error it earns, the status. A parameter of the client that is missing may be called either a wrong request or no authentication of the client. */
const wrong: readonly [name: string, form: object, error: string, status: number, or?: string][] = [
  ['no-grant', withoutGrant, 'invalid_request', 400],
  ['other-grant', { ...good, grant_type: 'password' }, 'unsupported_grant_type', 400],
  ['no-client', withoutId, 'invalid_request', 400, 'invalid_client'],
  ['no-secret', withoutSecret, 'invalid_request', 400, 'invalid_client'],
  ['unknown-client', { ...good, client_id: 'nobody-of-that-name' }, 'invalid_client', 401],
  ['wrong-secret', { ...good, client_secret: 'not the secret' }, 'invalid_client', 401],
]

export const auth: readonly Procedure[] = [
  proc(newer, 'vtn.auth.server', '/auth/server names the token endpoint to anyone', 'OA-021', clause, [
    call('nobody', 'GET', '/auth/server', { status: 200, 'body.tokenURL': { matches: '^https?://[^ ]+$' } }),
  ], { smoke: true, tags: ['auth'] }),
  proc(older, 'vtn.auth.no-server', '3.0.1 has no /auth/server', 'OA-242', 'OpenADR 3.0.1 YAML, paths', [call('nobody', 'GET', '/auth/server', { status: { oneOf: [401, 403, 404] } })], { tags: ['auth'] }),
  proc(either, 'vtn.auth.token', 'client credentials earn a Bearer token that may not be cached', 'OA-020 OA-023 OA-024 OA-005', clause, [
    ask(good, {
      'status': 200, 'body.access_token': { matches: '^.{1,4096}$' }, 'body.token_type': { matches: '^[Bb]earer$' }, 'body.expires_in': { any: [{ exists: false }, { atLeast: 1 }] }, 'body.scope': { any: [{ exists: false }, { matches: '^[^ ]+( [^ ]+)*$' }] },
      'headers.cache-control': { matches: 'no-store' },
    }),
    { ...ask(good, { 'body.expires_in': { exists: true }, 'body.scope': { exists: true }, 'body.refresh_token': { exists: false }, 'headers.content-encoding': { exists: false } }), should: true },
  ], { ...token, smoke: true }),
  proc(either, 'vtn.auth.basic', 'credentials may come by HTTP Basic, but not twice', 'OA-023', 'RFC 6749 §2.3', [
    ask({ grant_type: 'client_credentials' }, { status: 200, 'body.token_type': 'Bearer' }, { authorization: 'Basic ${ven_basic}' }),
    ask(good, { status: { oneOf: [400, 401] }, 'body.error': { oneOf: ['invalid_request', 'invalid_client'] } }, { authorization: 'Basic ${ven_basic}' }),
  ], { ...token, needs: ['token-endpoint', 'token-basic'] }),
  proc(either, 'vtn.auth.fewer-scopes', 'a client may ask for less than it is granted', 'OA-026', clause, [
    ask({ ...good, scope: 'read_targets' }, { 'status': 200, 'body.scope': { any: [{ exists: false }, 'read_targets'] } }),
  ], token),
  ...wrong.filter(([, , , status]) => status === 401).map(([name, form, error]) => proc(older, `vtn301.auth.token.${name}`, `a token request that is ${name.replace(/-/g, ' ')} is ${error}`, 'OA-025 OA-242', 'OpenADR 3.0.1 YAML, POST /auth/token: 400 authError, 403 Problem', [
    ask(form, { 'status': { oneOf: [400, 401, 403] }, 'body.error': error }),
  ], token)),
  ...wrong.map(([name, form, error, status, or]) => proc(status === 401 ? newer : either, `vtn.auth.token.${name}`, `a token request that is ${name.replace(/-/g, ' ')} is ${error}`, 'OA-025', clause, [
    // RFC 6749 §5.2 leaves it to the server whether a wrong client in the form is 400 or 401.
    ask(form, { 'status': { oneOf: or ? [400, 401] : [status, ...(status === 401 ? [400] : [])] }, 'body.error': or ? { oneOf: [error, or] } : error }), { ...ask(form, { 'headers.cache-control': { matches: 'no-store' }, 'body.title': { exists: true }, 'body.status': or ? { oneOf: [400, 401] } : status }), should: true },
  ], token)),
  // RFC 6749 §3.3: a server may refuse such a scope or grant less than was asked, and then says what it grants.
  proc(either, 'vtn.auth.token.scope-not-granted', 'a scope that is not granted earns invalid_scope, or a token that says it is for less', 'OA-025', clause, [
    ask({ ...good, scope: 'write_programs' }, { status: { oneOf: [400, 200] }, text: { matches: '"error"\\s*:\\s*"invalid_scope"|"scope"\\s*:\\s*"(?![^"]*write_programs)[^"]*"' } }),
    { ...ask({ ...good, scope: 'write_programs' }, { 'status': 400, 'body.error': 'invalid_scope' }), needs: 'decisions' },
  ], token),
  proc(either, 'vtn.auth.token.json', 'the token request is a form, not JSON', 'OA-005 OA-007', clause, [
    { say: 'token request as JSON', do: 'http.request', with: { method: 'POST', path: '/auth/token', json: good }, expect: { status: { oneOf: [400, 415] } } },
  ], token),
  proc(newer, 'vtn.auth.no-token', 'a request without a token is 401 with a Bearer challenge', 'OA-027 OA-050', clause, [
    call('nobody', 'GET', '/programs', { ...problem(401), 'headers.www-authenticate': { matches: '^Bearer' } }),
    call('nobody', 'POST', '/programs', { ...problem(401) }, { json: { programName: '${run}' } }),
  ], { smoke: true, tags: ['auth'], needs: ['authenticating'] }),
  ...['not.a.jwt', 'AAAA', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJibF9jbGllbnQiLCJzY29wZSI6InJlYWRfYWxsIn0.'].map((bad, i) =>
    proc(newer, `vtn.auth.bad-token.${i}`, `a token like '${bad.slice(0, 12)}…' is 401 invalid_token`, 'OA-027 OA-029', clause, [
      call('nobody', 'GET', '/programs', { ...problem(401), 'headers.www-authenticate': { matches: '^Bearer' } }, { headers: { authorization: `Bearer ${bad}` } }),
      { ...call('nobody', 'GET', '/programs', { 'headers.www-authenticate': { matches: 'invalid_token' } }, { headers: { authorization: `Bearer ${bad}` } }), should: true }, // RFC 6750 §3.1
    ], { tags: ['auth'], needs: ['authenticating'] })),
  proc(older, 'vtn.auth.bad-token.301', 'a bad token is refused on the 3.0.1 surface', 'OA-027 OA-242', 'OpenADR 3.0.1 YAML, responses', [
    call('nobody', 'GET', '/programs', problem(401, 403), { headers: { authorization: 'Bearer not.a.jwt' } }),
  ], { tags: ['auth'], smoke: true }),
  proc(newer, 'vtn.auth.other-scheme', 'a Basic header on an object path is 401', 'OA-020 OA-027', clause, [
    call('nobody', 'GET', '/programs', problem(401), { headers: { authorization: 'Basic YTpi' } }),
  ], { tags: ['auth'] }),
  proc(either, 'vtn.auth.tls', 'HTTPS is TLS 1.2 or later with a forward-secret suite', 'OA-001', 'OpenADR 3 Definition, security', [
    { say: 'a TLS handshake', do: 'tls.connect', with: {}, expect: { connected: true, protocol: { oneOf: ['TLSv1.2', 'TLSv1.3'] }, cipher: { matches: 'TLS_AES|CHACHA20|ECDHE.*GCM' } } },
    { say: 'TLS 1.1 is refused', do: 'tls.connect', with: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, expect: { connected: false } },
  ], { needs: ['tls'], tags: ['auth'] }),

  ...([['POST', '/programs', { programName: '${run}' }], ['POST', '/events', { programID: '${program}', intervals: [] }], ['PUT', '/programs/${program}', { programName: '${run} x' }], ['DELETE', '/programs/${program}', undefined]] as const).map(([method, path, json], i) =>
    proc(either, `vtn.scope.ven-write.${i}`, `a VEN may not ${method} ${path.replace(/\$\{.*\}/, '{id}')}`, 'OA-028', 'OpenADR 3.1 YAML, security scopes', [
      makeProgram(), call('ven', method, path, problem(403), json ? { json } : {}), call('bl', 'GET', '/programs/${program}', { status: 200 }),
    ], { tags: ['scope'] })),
  proc(either, 'vtn.scope.bl-report', 'a BL client may not write reports', 'OA-035', 'OpenADR 3.1 YAML, POST /reports', [
    makeProgram(), call('bl', 'POST', '/events', { status: 201 }, { json: { programID: '${program}', intervals: [{ id: 0, payloads: [{ type: 'PRICE', values: [1] }] }], intervalPeriod: { start: '${iso}', duration: 'PT1H' } }, save: { event: 'body.id' } }),
    call('bl', 'POST', '/reports', problem(403), { json: { programID: '${program}', eventID: '${event}', clientName: 'c', resources: [] } }),
  ], { tags: ['scope'] }),
  proc(newer, 'vtn.scope.narrow', 'a token narrowed to read_targets may read programs but not its vens', 'OA-026 OA-028', 'OpenADR 3.1 YAML, security scopes', [
    { say: 'a narrow token', do: 'http.request', with: { method: 'POST', path: '/auth/token', form: { ...good, scope: 'read_targets' } }, expect: { status: 200 }, save: { narrow: 'body.access_token' } },
    call('nobody', 'GET', '/programs', { status: 200 }, { headers: { authorization: 'Bearer ${narrow}' } }),
    call('nobody', 'GET', '/vens', problem(403), { headers: { authorization: 'Bearer ${narrow}' } }),
  ], { needs: ['token-endpoint', 'decisions'], tags: ['scope'] }),
]
