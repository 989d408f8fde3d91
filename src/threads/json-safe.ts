// Which values JSON copies exactly as a structured clone would, and faster.

/** A message with more values than this is not small. */
const MOST_VALUES = 100

/** Whether JSON reproduces `value` exactly, and the value is small. */
export function isSimple(value: unknown): boolean {
  return weigh(value, 0) <= MOST_VALUES
}

/** `so` plus the number of values in `value`; Infinity if JSON cannot reproduce one of them. */
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
  if (value === null || so > MOST_VALUES) return so // this also ends a cycle of objects
  if (Array.isArray(value)) {
    if (value.length > MOST_VALUES || Object.keys(value).length !== value.length) return Infinity // long, sparse, or with named properties
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
