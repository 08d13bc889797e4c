import { Refusal, type Fault } from '#core/error.js'

const decimalText = /^-?\d+(\.\d+)?$/

/** Reads one calculation's JSON input: every value is asked for by name and kind, and a wrong one says where it is. */
export class Reader {
  readonly #value: unknown
  readonly #path: string

  constructor(value: unknown, path = '') {
    this.#value = value
    this.#path = path
  }

  get value(): unknown {
    return this.#value
  }

  fail(reason: string): never {
    const fault: Fault = { path: this.#path || '/', reason }
    throw new Refusal('invalid', `the input ${this.#path === '' ? '' : `at ${this.#path} `}${reason}`, { faults: [fault] })
  }

  get(name: string): Reader {
    const object = this.#object()
    return new Reader(Object.hasOwn(object, name) ? object[name] : undefined, `${this.#path}/${name}`)
  }

  has(name: string): boolean {
    const object = this.#object()
    return Object.hasOwn(object, name) && object[name] !== undefined && object[name] !== null
  }

  /** The value read by `read`, or undefined when the member is absent or null. */
  maybe<T>(name: string, read: (r: Reader) => T): T | undefined {
    return this.has(name) ? read(this.get(name)) : undefined
  }

  entries(): [string, Reader][] {
    return Object.entries(this.#object()).map(([name, v]) => [name, new Reader(v, `${this.#path}/${name}`)])
  }

  list(): Reader[] {
    if (!Array.isArray(this.#value)) return this.fail(`must be a list${this.#got()}`)
    return this.#value.map((v, i) => new Reader(v, `${this.#path}/${i}`))
  }

  number(): number {
    const v = this.#value
    if (typeof v === 'number' && Number.isFinite(v)) return v
    if (typeof v === 'string' && decimalText.test(v)) return Number(v)
    return this.fail(`must be a number${this.#got()}`)
  }

  /** A number, or NaN for null: a value that was not measured. */
  reading(): number {
    return this.#value === null ? NaN : this.number()
  }

  whole(): number {
    const v = this.number()
    return Number.isSafeInteger(v) ? v : this.fail(`must be a whole number${this.#got()}`)
  }

  /** Exact decimal text; JSON numbers are taken in their shortest form (CORE-007). */
  decimal(): string {
    const v = this.#value
    if (typeof v === 'string' && decimalText.test(v)) return v
    if (typeof v === 'number' && Number.isFinite(v) && decimalText.test(String(v))) return String(v)
    return this.fail(`must be a decimal number${this.#got()}`)
  }

  text(): string {
    return typeof this.#value === 'string' ? this.#value : this.fail(`must be a text${this.#got()}`)
  }

  flag(): boolean {
    return typeof this.#value === 'boolean' ? this.#value : this.fail(`must be true or false${this.#got()}`)
  }

  #object(): Record<string, unknown> {
    const v = this.#value
    if (v === null || typeof v !== 'object' || Array.isArray(v)) return this.fail(`must be an object${this.#got()}`)
    return v as Record<string, unknown>
  }

  #got(): string {
    const v = this.#value
    if (v === undefined) return ', but it is missing'
    const shown = JSON.stringify(v)
    return `, got ${shown.length > 40 ? `${shown.slice(0, 40)}…` : shown}`
  }
}

export const numbers = (r: Reader): number[] => r.list().map((v) => v.number())
export const readings = (r: Reader): number[] => r.list().map((v) => v.reading())
export const texts = (r: Reader): string[] => r.list().map((v) => v.text())
export const decimals = (r: Reader): string[] => r.list().map((v) => v.decimal())
