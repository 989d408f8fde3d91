// What Python has and TypeScript lacks, for translated programs: how values print, and operations that check what they are
// given. A program imports only what it needs from here.
import { asyncToSync, CancelledError, ExceptionGroup, getRunningLoop, print as printLine, RuntimeError, TimeoutError, type Coroutine, type Suspension } from '../../../../src/browser.ts'

// Exceptions. ValueError is JavaScript's RangeError.

export class LookupError extends Error { override name = 'LookupError' }
export class KeyError extends LookupError {
  override name = 'KeyError'
  /** The missing key as `repr` gives it, if it is no string. */
  key: string | null = null
}
export class IndexError extends LookupError { override name = 'IndexError' }
export class ArithmeticError extends Error { override name = 'ArithmeticError' }
export class ZeroDivisionError extends ArithmeticError { override name = 'ZeroDivisionError' }
export class OverflowError extends ArithmeticError { override name = 'OverflowError' }
export class AssertionError extends Error { override name = 'AssertionError' }
export class OSError extends Error { override name = 'OSError' }
export class ConnectionError extends OSError { override name = 'ConnectionError' }
export class ConnectionResetError extends ConnectionError { override name = 'ConnectionResetError' }
export class ConnectionRefusedError extends ConnectionError { override name = 'ConnectionRefusedError' }
export class ConnectionAbortedError extends ConnectionError { override name = 'ConnectionAbortedError' }
export class BrokenPipeError extends ConnectionError { override name = 'BrokenPipeError' }
export class FileNotFoundError extends OSError { override name = 'FileNotFoundError' }
export class PermissionError extends OSError { override name = 'PermissionError' }
export class NotImplementedError extends RuntimeError { override name = 'NotImplementedError' }
export class StopAsyncIteration extends Error { override name = 'StopAsyncIteration' }

/** `isinstance(value, Exception)`: any error but a cancellation. */
export function isException(value: unknown): value is Error {
  return value instanceof Error && !(value instanceof CancelledError)
}

/** `type(value).__name__` of an error. */
export function nameOf(error: unknown): string {
  return error instanceof RangeError && error.name === 'RangeError' ? 'ValueError' : (error as Error).name
}

/** For `except*`: the errors of a group that `matches` takes, and what is left. */
export function split(error: unknown, matches: (error: unknown) => boolean): [taken: ExceptionGroup | null, rest: unknown] {
  if (error instanceof ExceptionGroup) return error.split(matches)
  return error !== null && matches(error) ? [new ExceptionGroup('', [error]), null] : [null, error]
}

// How values print.

/** A value as `str` gives it. */
export function str(value: unknown, shape = ''): string {
  if (value instanceof ExceptionGroup) return `${value.message} (${value.exceptions.length} sub-exception${value.exceptions.length === 1 ? '' : 's'})`
  if (value instanceof KeyError && value.message !== '') return value.key ?? repr(value.message)
  if (value instanceof Error) return messageOf(value)
  return typeof value === 'string' ? value : repr(value, shape)
}

/** The runtime says why a deadline passed and how a task was cancelled; Python says nothing. */
function messageOf(error: Error): string {
  return error instanceof TimeoutError && error.cause instanceof CancelledError ? '' : error.message
}

/**
 * A value as `repr` gives it. Numbers are whole ones and arrays are lists, where `shape` does not say otherwise, as in
 * `list[tuple[str, float]]`.
 */
export function repr(value: unknown, shape = ''): string {
  const [name, inner] = parse(shape)
  const all = (values: Iterable<unknown>): string => [...values].map((each, i) => repr(each, name === 'tuple' ? inner[i] : inner[0])).join(', ')
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return name === 'float' ? float(value) : String(value)
  if (typeof value === 'string') return quote(value)
  if (Array.isArray(value)) return name === 'tuple' ? `(${all(value)}${value.length === 1 ? ',' : ''})` : `[${all(value)}]`
  if (value instanceof Set) return value.size === 0 ? 'set()' : `{${all(value)}}`
  if (value instanceof Map) return `{${[...value].map(([key, each]) => `${repr(key, inner[0])}: ${repr(each, inner[1])}`).join(', ')}}`
  if (value instanceof ExceptionGroup) return `ExceptionGroup(${quote(value.message)}, ${repr(value.exceptions)})`
  if (value instanceof KeyError && value.key !== null) return `KeyError(${value.key})`
  if (value instanceof Error) return `${nameOf(value)}(${messageOf(value) === '' ? '' : quote(messageOf(value))})`
  const own = value as { repr?: () => string }
  return typeof own.repr === 'function' ? own.repr() : String(value)
}

/** `dict[str, list[int]]` is `dict` of `str` and `list[int]`. */
function parse(shape: string): [name: string, inner: string[]] {
  const open = shape.indexOf('[')
  if (open < 0) return [shape, []]
  const inner = ['']
  let depth = 0
  for (const letter of shape.slice(open + 1, -1)) {
    if (letter === ',' && depth === 0) inner.push('')
    else inner[inner.length - 1] += letter
    depth += letter === '[' ? 1 : letter === ']' ? -1 : 0
  }
  return [shape.slice(0, open), inner.map((each) => each.trim())]
}

function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(/[\\\n\r\t]/g, (letter) => ({ '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' })[letter] as string)
  return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark
}

/** A float as Python prints it: 1.0, 1e-05, inf. */
export function float(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  const size = Math.abs(value)
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) return `${digits}e${exponent.replace(/^([+-])(\d)$/, '$10$2')}`
  const text = Object.is(value, -0) ? '-0' : String(value)
  return text.includes('.') ? text : `${text}.0`
}

/** `f'{value:.2f}'`: a tie goes to the even digit. */
export function fixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return float(value)
  const exact = Math.abs(value).toFixed(Math.min(100, digits + 40))
  const cut = exact.length - Math.min(100, digits + 40) + digits
  const text = exact.slice(0, digits === 0 ? cut - 1 : cut)
  const rest = exact.slice(cut)
  const tie = /^50*$/.test(rest)
  const even = Number(text.at(-1)) % 2 === 0
  const rounded = tie && even ? text : Math.abs(value).toFixed(digits)
  return value < 0 || Object.is(value, -0) ? `-${rounded}` : rounded
}

/** `format(value, spec)` of a number or a string. */
export function format(value: unknown, spec: string, shape = ''): string {
  const parts = /^(?:(.)?([<>=^]))?([+\- ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([a-z%])?$/i.exec(spec)
  if (parts === null) throw new RangeError(`Invalid format specifier '${spec}'`)
  const [, fill, align, sign = '', , zero, width = '0', group, precision, type = ''] = parts
  let text: string
  let head = ''
  if (typeof value === 'number') {
    const size = Math.abs(value)
    const digits = Number(precision ?? 6)
    if (type === 'f' || type === 'F') text = fixed(size, digits)
    else if (type === '%') text = `${fixed(size * 100, digits)}%`
    else if (type === 'e') text = size.toExponential(digits).replace(/e([+-])(\d)$/, 'e$10$2')
    else if (type === 'x' || type === 'b' || type === 'o') text = size.toString({ x: 16, b: 2, o: 8 }[type])
    else if (type === 'X') text = size.toString(16).toUpperCase()
    else if (precision !== undefined || type === 'g') throw new RangeError(`the format '${spec}' is not known here`)
    else text = shape === 'float' ? float(size) : String(size)
    if (group !== undefined) text = text.replace(/^\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, group))
    head = value < 0 ? '-' : sign === '+' || sign === ' ' ? sign : ''
  } else {
    text = str(value)
    if (precision !== undefined) text = text.slice(0, Number(precision))
  }
  const left = Number(width) - head.length - text.length
  const side = align ?? (typeof value === 'number' ? (zero === undefined ? '>' : '=') : '<')
  if (left <= 0) return head + text
  const filling = fill ?? zero ?? ' '
  if (side === '=') return head + filling.repeat(left) + text
  const before = side === '>' ? left : side === '^' ? Math.floor(left / 2) : 0
  return filling.repeat(before) + head + text + filling.repeat(left - before)
}

let begun = ''

/** `print(text, end='')`: the line goes on. */
export function write(text: string): void {
  const lines = (begun + text).split('\n')
  begun = lines.pop() as string
  for (const line of lines) printLine(line)
}

/** `print` in a program that also uses `write`. */
export function print(...values: unknown[]): void {
  write(`${values.map((value) => String(value)).join(' ')}\n`)
}

/** The time where no loop may be running, in seconds. */
export const now = asyncToSync(function* (): Coroutine<number> {
  return getRunningLoop().time()
})

// Numbers

/** A whole number, as long as it is exact: beyond 2^53 it would not be Python's. */
export function exact(value: number): number {
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new OverflowError(`${value} is beyond 2^53: up to there whole numbers are exact here`)
  return value
}

/** `&`, `|` and `^` of whole numbers: JavaScript's own have 32 bits. */
export function bitAnd(a: number, b: number): number {
  return Number(BigInt(a) & BigInt(b))
}

export function bitOr(a: number, b: number): number {
  return exact(Number(BigInt(a) | BigInt(b)))
}

export function bitXor(a: number, b: number): number {
  return exact(Number(BigInt(a) ^ BigInt(b)))
}

export function divide(a: number, b: number): number {
  if (b === 0) throw new ZeroDivisionError('division by zero')
  return a / b
}

export function floorDivide(a: number, b: number): number {
  if (b === 0) throw new ZeroDivisionError('integer division or modulo by zero')
  return Math.floor(a / b)
}

/** `a % b`, which has the sign of `b`. */
export function modulo(a: number, b: number): number {
  if (b === 0) throw new ZeroDivisionError('integer modulo by zero')
  const rest = a % b
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest + 0
}

/** `round(value, digits)`: a tie goes to the even digit. */
export function round(value: number, digits = 0): number {
  return digits < 0 ? round(value / 10 ** -digits) * 10 ** -digits : Number(fixed(value, digits))
}

export function toInt(text: string | number): number {
  if (typeof text === 'number') return Math.trunc(text)
  if (!/^\s*[+-]?\d+(_\d+)*\s*$/.test(text)) throw new RangeError(`invalid literal for int() with base 10: ${repr(text)}`)
  return exact(Number(text.replaceAll('_', '')))
}

export function toFloat(text: string | number): number {
  const word = String(text).trim().toLowerCase()
  const special = /^([+-]?)(inf|infinity|nan)$/.exec(word)
  if (special !== null) return special[2] === 'nan' ? NaN : special[1] === '-' ? -Infinity : Infinity
  if (typeof text === 'string' && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(word)) throw new RangeError(`could not convert string to float: ${repr(text)}`)
  return Number(text)
}

// Containers: tuples and deques are arrays too, dicts are Maps.

/** Whether two values are equal: numbers, strings, arrays, sets, dicts, and objects with the same fields. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b || (a ?? null) === (b ?? null)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, i) => equal(value, b[i]))
  if (a instanceof Set && b instanceof Set) return a.size === b.size && [...a].every((value) => b.has(value))
  if (a instanceof Map && b instanceof Map) return a.size === b.size && [...a].every(([key, value]) => b.has(key) && equal(value, b.get(key)))
  if (a.constructor !== b.constructor) return false
  const [left, right] = [Object.entries(a), b as Record<string, unknown>]
  return left.length > 0 && left.every(([key, value]) => equal(value, right[key]))
}

/** `items[index]`: an error where there is no such item. */
export function item<T>(items: readonly T[], index: number): T
export function item(items: string, index: number): string
export function item<K, V>(items: ReadonlyMap<K, V>, key: K): V
export function item(items: readonly unknown[] | string | ReadonlyMap<unknown, unknown>, key: unknown): unknown {
  if (items instanceof Map) {
    if (!items.has(key)) throw missing(key)
    return (items as ReadonlyMap<unknown, unknown>).get(key)
  }
  const list = items as readonly unknown[] | string
  const index = key as number
  if (index >= list.length || index < -list.length) throw new IndexError(`${typeof list === 'string' ? 'string' : 'list'} index out of range`)
  return list.at(index)
}

/** The error for a key that is not there; an array is a tuple here. */
function missing(key: unknown): KeyError {
  const shape = (part: unknown): string => Array.isArray(part) ? `tuple[${part.map(shape).join(', ')}]` : '_'
  const text = typeof key === 'string' ? key : repr(key, shape(key))
  return Object.assign(new KeyError(text), { key: typeof key === 'string' ? null : text })
}

/** `items[index] = value`: an error where there is no such item. */
export function setItem<T>(items: T[], index: number, value: T): void {
  if (index >= items.length || index < -items.length) throw new IndexError('list assignment index out of range')
  items[index < 0 ? items.length + index : index] = value
}

/** `items.pop(index)`: the last one by default. */
export function pop<T>(items: T[], index = -1): T {
  if (items.length === 0) throw new IndexError('pop from empty list')
  if (index >= items.length || index < -items.length) throw new IndexError('pop index out of range')
  return items.splice(index, 1)[0] as T
}

/** `deque.popleft()` */
export function popLeft<T>(items: T[]): T {
  if (items.length === 0) throw new IndexError('pop from an empty deque')
  return items.shift() as T
}

/** A deque of at most `maxlen` items: one more takes the place of one at the other end. */
export class BoundedDeque<T> extends Array<T> {
  /** What is made of it has no bound. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }

  readonly maxlen: number

  constructor(maxlen: number, items: Iterable<T> = []) {
    super()
    if (maxlen < 0) throw new RangeError('maxlen must be non-negative')
    this.maxlen = maxlen
    // JSON and consoles show the items only.
    Object.defineProperty(this, 'maxlen', { enumerable: false })
    this.push(...items)
  }

  override push(...items: T[]): number {
    super.push(...items)
    super.splice(0, this.length - this.maxlen)
    return this.length
  }

  override unshift(...items: T[]): number {
    super.unshift(...items)
    if (this.length > this.maxlen) this.length = this.maxlen
    return this.length
  }

  override splice(start: number, deleted: number, ...items: T[]): T[] {
    if (this.length - deleted + items.length > this.maxlen) throw new IndexError('deque already at its maximum size')
    return super.splice(start, deleted, ...items)
  }

  copy(): T[] {
    return new BoundedDeque(this.maxlen, this)
  }
}

/** A copy of a deque, which has the same bound. */
export function copyDeque<T>(deque: readonly T[]): T[] {
  return deque instanceof BoundedDeque ? (deque as BoundedDeque<T>).copy() : [...deque]
}

/** `set.pop()`: which of several items Python takes is an accident. */
export function popOnly<T>(items: Set<T>): T {
  const [first] = items
  if (items.size === 0) throw new KeyError('pop from an empty set')
  if (items.size > 1) throw new RuntimeError(`set.pop() of ${items.size} items: which one Python takes is an accident`)
  items.clear()
  return first as T
}

/** `dict.pop(key)`, which fails if it is not there, or gives `otherwise`. */
export function take<K, V, O = V>(dict: Map<K, V>, key: K, ...otherwise: [O?]): V | O {
  if (!dict.has(key) && otherwise.length > 0) return otherwise[0] as O
  const value = item(dict, key)
  dict.delete(key)
  return value
}

export function setDefault<K, V>(dict: Map<K, V>, key: K, value: V): V {
  if (!dict.has(key)) dict.set(key, value)
  return dict.get(key) as V
}

/** `items.remove(value)` of a list or a set. */
export function remove<T>(items: T[] | Set<T>, value: T): void {
  if (items instanceof Set) {
    if (!items.delete(value)) throw missing(value)
    return
  }
  const index = items.findIndex((each) => equal(each, value))
  if (index < 0) throw new RangeError('list.remove(x): x not in list')
  items.splice(index, 1)
}

/** `items.index(value)` */
export function indexOf<T>(items: readonly T[], value: T): number {
  const index = items.findIndex((each) => equal(each, value))
  if (index < 0) throw new RangeError('list.index(x): x not in list')
  return index
}

export function* range(start: number, stop: number, step = 1): Generator<number, void> {
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) yield i
}

export function* enumerate<T>(items: Iterable<T>, start: number): Generator<[number, T], void> {
  for (const each of items) yield [start++, each]
}

export function* zip<T extends unknown[]>(...lists: { [I in keyof T]: Iterable<T[I]> }): Generator<T, void> {
  const iterators: Iterator<unknown>[] = lists.map((list) => (list as Iterable<unknown>)[Symbol.iterator]())
  for (;;) {
    const steps: IteratorResult<unknown, unknown>[] = iterators.map((iterator) => iterator.next())
    if (steps.some(({ done }) => done)) return
    yield steps.map(({ value }) => value) as T
  }
}

export function* cycle<T>(items: Iterable<T>): Generator<T, never> {
  const all = [...items]
  for (;;) yield* all
}

export function sum(items: Iterable<number>, start = 0): number {
  let total = start
  for (const each of items) total += each
  return total
}

type Sortable = number | string | boolean | readonly unknown[]

/** Less than 0 if `a` comes before `b`. Arrays are compared element by element. */
export function compare(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      if (!equal(a[i], b[i])) return compare(a[i], b[i])
    }
    return a.length - b.length
  }
  if (typeof a !== typeof b || !['number', 'string', 'boolean'].includes(typeof a)) throw new TypeError(`${repr(a)} and ${repr(b)} have no order`)
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
}

/** `sorted(items, key=…, reverse=…)`: equal ones stay in their order. */
export function sorted<T>(items: Iterable<T>, { key = (value: T): unknown => value as Sortable, reverse = false } = {}): T[] {
  const keyed = [...items].map((value) => ({ value, key: key(value) }))
  keyed.sort((a, b) => reverse ? compare(b.key, a.key) : compare(a.key, b.key))
  return keyed.map(({ value }) => value)
}

export function max<T>(items: Iterable<T>, key: (value: T) => unknown = (value) => value, ...otherwise: [T?]): T {
  return extreme('max', items, key, 1, otherwise)
}

export function min<T>(items: Iterable<T>, key: (value: T) => unknown = (value) => value, ...otherwise: [T?]): T {
  return extreme('min', items, key, -1, otherwise)
}

function extreme<T>(name: string, items: Iterable<T>, key: (value: T) => unknown, sign: 1 | -1, otherwise: [T?]): T {
  const all = [...items]
  if (all.length === 0 && otherwise.length > 0) return otherwise[0] as T
  if (all.length === 0) throw new RangeError(`${name}() iterable argument is empty`)
  return all.reduce((best, each) => compare(key(each), key(best)) * sign > 0 ? each : best)
}

const ids = new WeakMap<object, number>()
let objects = 0

/** The text by which a tuple is found: equal ones have the same. */
function textOf(key: readonly unknown[]): string {
  return `(${key.map((part) => {
    if (Array.isArray(part)) return textOf(part)
    if (typeof part === 'string') return JSON.stringify(part)
    if (typeof part !== 'object' || part === null) return String(Number(part ?? NaN))
    let id = ids.get(part)
    if (id === undefined) ids.set(part, id = ++objects)
    return `#${id}`
  }).join()})`
}

/** The first of tuples that are equal. */
class Tuples<K> {
  readonly #known = new Map<string, K>()

  /** The one that is there, or this one. */
  find(key: K): K {
    return Array.isArray(key) ? this.#known.get(textOf(key)) ?? key : key
  }

  add(key: K): K {
    if (Array.isArray(key) && this.find(key) === key) this.#known.set(textOf(key), key)
    return this.find(key)
  }

  take(key: K): K {
    const found = this.find(key)
    if (Array.isArray(key)) this.#known.delete(textOf(key))
    return found
  }

  clear(): void {
    this.#known.clear()
  }
}

/** A dict whose keys may be tuples, which are equal if what is in them is. */
export class TupleMap<K, V> extends Map<K, V> {
  readonly #tuples = new Tuples<K>()

  constructor(entries: Iterable<readonly [K, V]> = []) {
    super()
    for (const [key, value] of entries) this.set(key, value)
  }

  override has(key: K): boolean {
    return super.has(this.#tuples.find(key))
  }

  override get(key: K): V | undefined {
    return super.get(this.#tuples.find(key))
  }

  override set(key: K, value: V): this {
    return super.set(this.#tuples.add(key), value)
  }

  override delete(key: K): boolean {
    return super.delete(this.#tuples.take(key))
  }

  override clear(): void {
    this.#tuples.clear()
    super.clear()
  }
}

/** A set of tuples. */
export class TupleSet<T> extends Set<T> {
  readonly #tuples = new Tuples<T>()

  constructor(items: Iterable<T> = []) {
    super()
    for (const item of items) this.add(item)
  }

  override has(item: T): boolean {
    return super.has(this.#tuples.find(item))
  }

  override add(item: T): this {
    return super.add(this.#tuples.add(item))
  }

  override delete(item: T): boolean {
    return super.delete(this.#tuples.take(item))
  }

  override clear(): void {
    this.#tuples.clear()
    super.clear()
  }
}

/** A dict that makes what is missing, `defaultdict(make)`. */
export class DefaultMap<K, V> extends TupleMap<K, V> {
  readonly make: () => V

  constructor(make: () => V) {
    super()
    this.make = make
  }

  override get(key: K): V {
    if (!this.has(key)) this.set(key, this.make())
    return super.get(key) as V
  }
}

/** `Counter(items)` */
export function count<T>(items: Iterable<T>): DefaultMap<T, number> {
  const counts = new DefaultMap<T, number>(() => 0)
  for (const each of items) counts.set(each, counts.get(each) + 1)
  return counts
}

/** `counter.most_common(n)` */
export function mostCommon<T>(counts: Map<T, number>, n?: number): [T, number][] {
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, n)
}

/** `text.split()`: at white space, of which the ends have none. */
export function words(text: string): string[] {
  return text.trim() === '' ? [] : text.trim().split(/\s+/)
}

// Asynchronous generators

/** What an asynchronous generator gives, among the suspensions that it yields. */
export class Item<T> {
  readonly value: T

  constructor(value: T) {
    this.value = value
  }
}

/** An asynchronous generator: `yield new Item(value)` is Python's `yield value`. */
export type Stream<T> = Generator<Suspension | Item<T>, void>

/** Runs an asynchronous generator to its next item, or to its end. */
export function* next<T>(stream: Stream<T>): Coroutine<IteratorResult<T, void>> {
  let step = stream.next()
  while (step.done !== true) {
    if (step.value instanceof Item) return { done: false, value: step.value.value }
    try {
      yield step.value
      step = stream.next()
    } catch (error) {
      step = stream.throw(error)
    }
  }
  return step
}
