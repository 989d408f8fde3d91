// JavaScript throws anything. What is no Error is put into one before it is answered: sent as it is, it would be a success.
import { describe } from '../runtime/describe.ts'

/** `thrown`, or an Error that has it as its cause. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`a handler threw ${describe(thrown)}, which is no Error`, { cause: thrown })
}
