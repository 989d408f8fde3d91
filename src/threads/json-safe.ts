// Which values text brings across exactly as a structured clone would, and faster.

/** A message of more values than this is not small. */
const MOST_VALUES = 100

/** Whether JSON gives `value` back as it was, and the value is small. */
export function isSimple(value: unknown): boolean {
  return weigh(value, 0) <= MOST_VALUES
}

/** How many values there are in `value`, on top of `so` many; Infinity if one of them is not for JSON. */
function weigh(value: unknown, so: number): number {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return so + 1
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? so + 1 : Infinity
    case 'object':
      break
    default:
      return Infinity
  }
  so++
  if (value === null || so > MOST_VALUES) return so // which also ends a ring of objects
  if (Array.isArray(value)) {
    if (value.length > MOST_VALUES || Object.keys(value).length !== value.length) return Infinity // long, with holes, or with names
    for (const item of value) so = weigh(item, so)
    return so
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return Infinity
  for (const key of Object.keys(value)) {
    if (key === '__proto__') return Infinity
    so = weigh((value as Record<string, unknown>)[key], so)
  }
  return so
}
