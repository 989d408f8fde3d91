// JavaScript can throw any value. A value that is not an Error is wrapped in one before it is answered; otherwise it would be
// sent as a success.
import { describe } from '../runtime/describe.ts'

/** `thrown`, or an Error with it as its cause. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`a handler threw ${describe(thrown)}, which is no Error`, { cause: thrown })
}
