// Describes any object in one line, for errors, logs and the inspector. Every runtime class has a `toString()`; `describable`
// makes consoles use it.

const INSPECT = Symbol.for('nodejs.util.inspect.custom')
const LONGEST = 80

/** Make Node's inspector and console show instances of `Class` by their `toString()`. */
export function describable(Class: { prototype: object }): void {
  Object.defineProperty(Class.prototype, INSPECT, {
    configurable: true,
    value: function (this: object) {
      return String(this)
    },
  })
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line
}

/** Describe a value in one line of at most 80 characters. Never throws. */
export function describe(value: unknown): string {
  try {
    return describeUnguarded(value)
  } catch {
    return '<an object that cannot be described>'
  }
}

/** Describe an object of the runtime in full: its `toString()` may end with the file in which it was made. Never throws. */
export function describeWhole(value: object): string {
  try {
    return INSPECT in value ? `${value as { toString(): string }}` : describe(value)
  } catch {
    return '<an object that cannot be described>'
  }
}

function describeUnguarded(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return shorten(JSON.stringify(value))
    case 'function':
      return value.name === '' ? '<function>' : `<function ${value.name}>`
    case 'object':
      break
    default:
      return String(value)
  }
  if (value === null) return 'null'
  if (value instanceof Error) return shorten(`${value.name}: ${value.message}`)
  if (INSPECT in value) return shorten(`${value as { toString(): string }}`)
  if (Array.isArray(value)) return `[${value.length} items]`
  if (typeof (value as Promise<unknown>).then === 'function') return '<Promise>'
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  if (tag === 'Generator') return '<coroutine>'
  const name = (value as { constructor?: { name?: string } }).constructor?.name
  return name === undefined || name === 'Object' ? shorten(JSON.stringify(value)) : `<${name === '' ? tag : name}>`
}
