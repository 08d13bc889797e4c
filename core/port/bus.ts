/** Words between the processes that share one database: heard by all that listen now, kept for nobody, in the order of each sender. */
export interface Bus {
  publish(channel: string, message: unknown): Promise<void>
  /** Resolves when it hears: what is published afterwards by anyone reaches the listener. */
  subscribe(channel: string, listener: (message: unknown) => void): Promise<() => void>
  /** Told when words may have been missed: the connection broke and is back. */
  onGap(listener: () => void): () => void
}
