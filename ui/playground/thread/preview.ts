// A value as short text, without running any code of the program: no getters, no proxies, no methods, and none of the
// program's replacements for the language's own functions, which are taken here before the program starts.

import * as loopscope from '../../../src/browser.ts'

const { apply, construct, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect
const { isArray } = Array
const { stringify } = JSON
const { is } = Object
const { isNaN } = Number
const toText = String

/** A method as a function of its object, as it is now. */
function method(prototype: object, name: PropertyKey): (this: void, self: unknown, ...values: unknown[]) => unknown {
  const { get, value } = getOwnPropertyDescriptor(prototype, name) as { get?: typeof method; value: typeof method }
  return (self, ...values) => apply(get ?? value, self, values) as unknown
}

const slice = method(String.prototype, 'slice')
const symbolText = method(Symbol.prototype, 'toString')
const isListed = method(WeakSet.prototype, 'has')
const list = method(WeakSet.prototype, 'add')
const mapSize = method(Map.prototype, 'size')
const setSize = method(Set.prototype, 'size')
const time = method(Date.prototype, 'getTime')
const isoText = method(Date.prototype, 'toISOString')
const typedPrototype = getPrototypeOf(Uint8Array.prototype) as object
const typedLength = method(typedPrototype, 'length')
const typedTag = method(typedPrototype, Symbol.toStringTag)

const errorPrototype = Error.prototype
const taskPrototype = loopscope.Task.prototype
const taskName = method(taskPrototype, 'getName')
const generatorPrototype = getPrototypeOf((function* () {}).prototype as object)
/** Of the runtime's own classes, whose fields say nothing to a reader. */
const runtimePrototypes = new WeakSet(Object.values(loopscope)
  .map((exported) => typeof exported === 'function' ? exported.prototype as object | undefined : undefined)
  .filter((prototype) => prototype !== undefined && !(prototype instanceof Error))
  .map((prototype) => prototype as object))

/** The longest text of a value, and of a string in it, in characters. */
const LONGEST = 160
const LONGEST_STRING = 80
/** The most entries of an object that are shown, and the most that are enumerated more than once. */
const MOST_ENTRIES = 8
const MOST_KEYS = 1000
const DEEPEST = 2
/** The most classes above one that are looked through for `Error`. */
const DEEPEST_CLASS = 10
/** A larger integer takes the engine long to write. */
const LARGEST = 10n ** 40n

const proxies = new WeakSet()
/** Objects with too many properties to list them again: the engine lists all of them or none. */
const huge = new WeakSet()

/**
 * Replaces the global `Proxy` with one that does the same, and whose objects are known here: the language itself gives no way
 * to recognize a proxy without a call of its traps.
 */
export function knowProxies(): void {
  const Original = Proxy
  const noted = <T>(proxy: T): T => {
    list(proxies, proxy)
    return proxy
  }
  const revocable = method(Original, 'revocable')
  Original.revocable = (target, handler) => {
    const made = revocable(Original, target, handler) as { proxy: typeof target; revoke: () => void }
    noted(made.proxy)
    return made
  }
  globalThis.Proxy = new Original(Original, { construct: (target, values, newTarget) => noted(construct(target, values, newTarget) as object) })
}

/** Describes a value in one line of at most 160 characters, as a literal of the language where it has one. Never throws. */
export function preview(value: unknown): string {
  try {
    return cut(text(value, DEEPEST), LONGEST)
  } catch {
    return '(cannot be shown)'
  }
}

function cut(whole: string, most: number): string {
  return whole.length > most ? `${slice(whole, 0, most - 1) as string}…` : whole
}

function text(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string': return quoted(value)
    case 'bigint': return value < LARGEST && value > -LARGEST ? `${toText(value)}n` : '(a bigint of more than 40 digits)'
    case 'symbol': return cut(symbolText(value) as string, LONGEST_STRING)
    case 'function': return isListed(proxies, value) === true ? '(proxy)' : `${nameOf(value)}()`
    case 'object': return value === null ? 'null' : objectText(value, depth)
    default: return is(value, -0) ? '-0' : toText(value)
  }
}

function quoted(value: string): string {
  if (value.length <= LONGEST_STRING) return stringify(value)
  return `${stringify(slice(value, 0, LONGEST_STRING))} … (${value.length} characters)`
}

function objectText(value: object, depth: number): string {
  if (isListed(proxies, value) === true) return '(proxy)'
  const prototype = getPrototypeOf(value)
  if (prototype !== null && isListed(proxies, prototype) === true) return '{…}'
  if (prototype === taskPrototype) return `Task ${quoted(taskName(value) as string)}`
  if (prototype !== null && isListed(runtimePrototypes, prototype) === true) return className(value)
  if (prototype !== null && getPrototypeOf(prototype) === generatorPrototype) return '(coroutine)'
  if (isArray(value)) {
    const { length } = value
    return depth === 0 ? `Array(${length})` : `[${items(value, length, depth)}]`
  }
  const typed = typedTag(value) as string | undefined
  if (typed !== undefined) return `${typed}(${typedLength(value) as number})`
  const name = className(value)
  const size = sizeOf(value, mapSize) ?? sizeOf(value, setSize)
  if (size !== null) return `${name}(${size})`
  const at = dateOf(value)
  if (at !== null) return at
  if (isError(value)) return `${name}: ${quoted(ownText(value, 'message') ?? '')}`
  const prefix = name === 'Object' || name === '' ? '' : `${name} `
  if (depth === 0 || isListed(huge, value) === true) return `${prefix}{…}`
  return `${prefix}${fields(value, depth)}`
}

function isError(value: object): boolean {
  let prototype = getPrototypeOf(value)
  for (let depth = 0; depth < DEEPEST_CLASS && prototype !== null && isListed(proxies, prototype) === false; depth++) {
    if (prototype === errorPrototype) return true
    prototype = getPrototypeOf(prototype)
  }
  return false
}

function sizeOf(value: object, size: (self: unknown) => unknown): number | null {
  try {
    return size(value) as number
  } catch {
    return null
  }
}

function dateOf(value: object): string | null {
  try {
    return isNaN(time(value)) ? 'Invalid Date' : isoText(value) as string
  } catch {
    return null
  }
}

function items(value: readonly unknown[], length: number, depth: number): string {
  let all = ''
  for (let at = 0; at < length; at++) {
    if (at > 0) all += ', '
    if (at === MOST_ENTRIES || all.length > LONGEST) return `${all}… ${length} items`
    all += propertyText(value, at, depth)
  }
  return all
}

function fields(value: object, depth: number): string {
  const keys = ownKeys(value)
  if (keys.length > MOST_KEYS) list(huge, value)
  let all = ''
  let shown = 0
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as string | symbol
    // An engine may write a stack only when it is read, with a function of the program.
    if (typeof key === 'symbol' || key === 'stack') continue
    if (shown === MOST_ENTRIES || all.length > LONGEST) {
      all += ', …'
      break
    }
    all += `${shown++ === 0 ? '' : ', '}${cut(key, LONGEST_STRING)}: ${propertyText(value, key, depth)}`
  }
  return all === '' ? '{}' : `{ ${all} }`
}

function propertyText(value: object, key: PropertyKey, depth: number): string {
  const descriptor = getOwnPropertyDescriptor(value, key)
  if (descriptor === undefined) return '(empty)'
  return descriptor.get === undefined && descriptor.set === undefined ? text(descriptor.value, depth - 1) : '(getter)'
}

/** The value of an own property if it is a string; the property's getter is not called. */
function ownText(value: object, key: string): string | null {
  const descriptor = getOwnPropertyDescriptor(value, key)
  return typeof descriptor?.value === 'string' ? descriptor.value : null
}

function nameOf(fn: object): string {
  return cut(ownText(fn, 'name') ?? '', LONGEST_STRING)
}

/** The name of the function that made it; '' if it has none. */
function className(value: object): string {
  const made = getOwnPropertyDescriptor(getPrototypeOf(value) ?? {}, 'constructor')?.value as unknown
  return typeof made === 'function' && isListed(proxies, made) !== true ? nameOf(made) : ''
}
