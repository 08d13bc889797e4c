import { createHash } from 'node:crypto'

/**
 * Names that IEEE 2030.5 derives from a certificate. This file needs node:crypto only: the client library packs it.
 */

/** The long form: first 20 bytes of SHA-256 over the leaf's DER, 40 upper-case hex digits (SEP-060, SEP-062). */
export const lfdiOf = (der: Uint8Array): string => createHash('sha256').update(der).digest('hex').slice(0, 40).toUpperCase()

/** LFDI from the fingerprint that node:tls prints (`AB:CD:…`, SHA-256). */
export const lfdiOfFingerprint = (fingerprint256: string): string => fingerprint256.replaceAll(':', '').slice(0, 40).toUpperCase()

/** 40 hex digits in either case; compare LFDIs in upper case. */
export const isLfdi = (text: string): boolean => /^[0-9A-Fa-f]{40}$/.test(text)

const digitSum = (n: number): number => [...String(n)].reduce((sum, digit) => sum + Number(digit), 0)

/** The short form: the first 36 bits as a decimal number, then a digit that makes the digit sum divisible by 10 (SEP-060). */
export function sfdiOf(lfdi: string): number {
  if (!isLfdi(lfdi)) throw new RangeError('an LFDI has 40 hex digits')
  const bits36 = Number.parseInt(lfdi.slice(0, 9), 16)
  return bits36 * 10 + ((10 - (digitSum(bits36) % 10)) % 10)
}

/** Displays and DNS-SD show twelve digits (SEP-061). */
export const sfdiText = (sfdi: number): string => String(sfdi).padStart(12, '0')

/** A whole number of at most 36 bits and a right check digit; leading zeros are welcome on input (SEP-061). */
export function isSfdi(value: number | string): boolean {
  if (!/^\d{1,12}$/.test(String(value))) return false
  const n = Number(value)
  return Math.floor(n / 10) < 2 ** 36 && digitSum(n) % 10 === 0
}

/** Six digits: five and their sum modulo 10 (SEP-066: the sum itself, not its complement). */
export function pinOf(five: number): number {
  if (!Number.isInteger(five) || five < 0 || five > 99_999) throw new RangeError('a PIN is made of five digits')
  return five * 10 + (digitSum(five) % 10)
}

export const isPin = (pin: number): boolean =>
  Number.isInteger(pin) && pin >= 0 && pin <= 999_999 && digitSum(Math.floor(pin / 10)) % 10 === pin % 10

/** A PIN from random hex digits; 64 bits make the bias of the remainder irrelevant. */
export const pinFromHex = (hex: string): number => pinOf(Number(BigInt(`0x${hex}`) % 100_000n))

export const pinText = (pin: number): string => String(pin).padStart(6, '0')
