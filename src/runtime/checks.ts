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
