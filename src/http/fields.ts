// Fields of text that mean numbers, as they stand in a URL or in the environment. Only plain decimal is read, and every
// one has bounds, which its error names, and which its default keeps to.
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

/** A number as `whole` reads it; where it is left out, `usual`, or the bound that `usual` is beyond. */
export function wholeOr(usual: number, least: number, most: number) {
  return whole(least, most).default(within(usual, least, most))
}

/** A number as `decimal` reads it; where it is left out, `usual`, or the bound that `usual` is beyond. */
export function decimalOr(usual: number, least: number, most: number) {
  return decimal(least, most).default(within(usual, least, most))
}

/** `value`, or the bound that it is beyond. */
export function within(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most))
}

/** Throw an Error if a default in `schema`, at any depth, is a value that its field would refuse: a default is not checked when it is taken. */
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

/** What a schema is made of, as far as a default can be in it. */
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

/** A switch: given without a value it is on. */
export const flag = z.enum(['', 'true', '1', 'false', '0'], { error: 'is a switch: leave it out, or give true or false' })
  .transform((text) => text !== 'false' && text !== '0')

export const id = whole(1, Number.MAX_SAFE_INTEGER)
