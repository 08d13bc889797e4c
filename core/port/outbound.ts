/** What came back from a receiver; `body` is cut short. */
export interface OutboundAnswer {
  readonly status: number
  readonly body: string
}

/**
 * The way out of the server: one guarded POST. An implementation resolves, checks and connects to the checked address, follows no
 * redirect, and bounds time and size (SEC-060). It throws `forbidden` for an address that may not be reached.
 */
export interface Outbound {
  post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<OutboundAnswer>
}
