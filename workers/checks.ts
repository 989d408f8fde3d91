// Checks of job arguments. Exports no job.

/** Requires a finite number from `least` to `most`. */
export function requireBetween(job: string, what: string, value: unknown, least: number, most: number): void {
  if (typeof value !== 'number') throw new TypeError(`${job}: ${what} must be a number, got ${typeof value}`)
  if (!(value >= least && value <= most)) throw new RangeError(`${job}: ${what} must be from ${least} to ${most}, got ${value}`)
}

/** Requires an integer from `least` to `most`. */
export function requireIntegerBetween(job: string, what: string, value: unknown, least: number, most: number): void {
  requireBetween(job, what, value, least, most)
  if (!Number.isInteger(value)) throw new RangeError(`${job}: ${what} must be an integer, got ${String(value)}`)
}
