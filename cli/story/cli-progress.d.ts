/** cli-progress ships no types: the part of it that the teller uses. */
declare module 'cli-progress' {
  export class SingleBar {
    constructor(options: Record<string, unknown>, preset?: object)
    start(total: number, from: number, payload?: Record<string, string>): void
    setTotal(total: number): void
    update(value: number, payload?: Record<string, string>): void
    stop(): void
  }
  export const Presets: { readonly shades_classic: object }
}
