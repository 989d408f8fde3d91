// Fields of text that mean numbers, as they stand in a URL or in the environment. Only plain decimal is read, and every
// one has bounds, which its error names.
import { z } from 'zod'

function read(pattern: RegExp): (value: unknown) => unknown {
  return (value) => (typeof value === 'string' && pattern.test(value) ? Number(value) : value)
}

/** A whole number between two bounds. */
export function whole(least: number, most: number) {
  const error = `must be a whole number from ${least} to ${most}`
  return z.preprocess(read(/^-?\d{1,15}$/), z.int({ error }).min(least, error).max(most, error))
}

/** A decimal number between two bounds. */
export function decimal(least: number, most: number) {
  const error = `must be a number from ${least} to ${most}`
  return z.preprocess(read(/^-?\d{1,15}(\.\d{1,15})?$/), z.number({ error }).min(least, error).max(most, error))
}

/** A switch: given without a value it is on. */
export const flag = z.enum(['', 'true', '1', 'false', '0'], { error: 'is a switch: leave it out, or give true or false' })
  .transform((text) => text !== 'false' && text !== '0')

export const id = whole(1, Number.MAX_SAFE_INTEGER)
