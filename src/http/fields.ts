// Text fields with numbers, in a URL or in the environment. Only plain decimal is accepted. Every field has bounds; its error
// names them, and its default is within them.
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

/** A number as in `whole`; if it is missing, `usual`, limited to the bounds. */
export function wholeOr(usual: number, least: number, most: number) {
  return whole(least, most).default(within(usual, least, most))
}

/** A number as in `decimal`; if it is missing, `usual`, limited to the bounds. */
export function decimalOr(usual: number, least: number, most: number) {
  return decimal(least, most).default(within(usual, least, most))
}

/** `value`, limited to the bounds. */
export function within(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most))
}

/** Throws an Error if a default in `schema`, at any depth, is a value that its field would refuse. zod does not check defaults. */
export function requireDefaults(schema: unknown, where: string): void {
  if (!(schema instanceof z.ZodType)) return
  const def = schema.def as Parts
  if (def.type === 'default') {
    const { success, error } = (def.innerType as z.ZodType).safeParse(def.defaultValue)
    if (!success) throw new Error(`${where}: its default ${JSON.stringify(def.defaultValue)} is one that it refuses: ${error.issues.map(({ message }) => message).join('; ')}`)
  }
  for (const [name, field] of Object.entries(def.shape ?? {})) requireDefaults(field, `${where}.${name}`)
  for (const part of [def.innerType, def.in, def.out, def.element, ...(def.options ?? [])]) requireDefaults(part, where)
}

/** The parts of a schema in which a default can be. */
interface Parts {
  type: string
  defaultValue?: unknown
  shape?: Record<string, unknown>
  innerType?: unknown
  in?: unknown
  out?: unknown
  element?: unknown
  options?: readonly unknown[]
}

/** A switch: without a value it is on. */
export const flag = z.enum(['', 'true', '1', 'false', '0'], { error: 'is a switch: leave it out, or give true or false' })
  .transform((text) => text !== 'false' && text !== '0')

export const id = whole(1, Number.MAX_SAFE_INTEGER)
