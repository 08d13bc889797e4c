import { execFile } from 'node:child_process'

/** A 2030.5 client that is nothing of ours: one GET by `openssl s_client`. Gives the status line, or '' when the connection was ended. */
export const askByOpenssl = ({ port, path = '/dcap', ca, cert, key }: { port: number; path?: string; ca: string; cert: string; key: string }): Promise<string> => new Promise((done) => {
  const child = execFile('openssl', ['s_client', '-quiet', '-ign_eof', '-connect', `127.0.0.1:${port}`, '-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', '-CAfile', ca, '-ignore_critical', '-cert', cert, '-key', key], { timeout: 20_000 }, (_error, out) => done(out.split('\r\n')[0] ?? ''))
  child.stdin?.on('error', () => {})
  child.stdin?.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
})
