// Checks of arguments: a wrong value is a RangeError, a wrong type a TypeError. The message names the argument, the value
// and what is allowed.
import { describe } from './describe.ts'

/** Require a finite number. */
export function requireFinite(value: unknown, what: string, unit: string): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${what} must be a number of ${unit}, got ${describe(value)}`)
  if (!Number.isFinite(value)) throw new RangeError(`${what} must be a finite number of ${unit}, got ${value}`)
}

/** Require a finite number or `null`, which means "never". */
export function requireFiniteOrNull(value: unknown, what: string, unit: string): asserts value is number | null {
  if (value !== null) requireFinite(value, what, `${unit}, or null for none`)
}

/** Require an integer of at least `least`. */
export function requireInteger(value: unknown, what: string, least: number): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${what} must be an integer, got ${describe(value)}`)
  if (!Number.isInteger(value) || value < least) throw new RangeError(`${what} must be an integer of at least ${least}, got ${value}`)
}

/** Require bytes; a text must be encoded first, as in Python. */
export function requireBytes(value: unknown, what: string): asserts value is Uint8Array {
  if (value instanceof Uint8Array) return
  const advice = typeof value === 'string' ? ': encode the text, with new TextEncoder().encode(text) or Buffer.from(text)' : ''
  throw new TypeError(`${what} must be bytes (a Uint8Array or a Buffer), got ${describe(value)}${advice}`)
}

/** The names of all options of `T`. The compiler wants each one, and no other. */
export type Names<T> = Record<keyof T, true>

/** Throw a TypeError that lists the options if `options` has one that is not in `known`: a misspelt one would be ignored. */
export function requireKnown<T extends object>(where: string, options: T, known: Names<T>, others: readonly string[] = []): void {
  const names = Object.keys(known)
  const unknown = Object.keys(options).filter((name) => !names.includes(name) && !others.includes(name))
  if (unknown.length === 0) return
  throw new TypeError(`${where}: unknown ${unknown.length === 1 ? 'option' : 'options'} ${unknown.join(', ')}. The options are ${names.join(', ')}`)
}
