// PriorityQueue: the smallest item first.
import { describe } from './describe.ts'
import { heapPop, heapPush, type Compare } from './heapq.ts'
import { Queue } from './queue.ts'

/** Values with a natural order. Other items need a `compare`. */
export type Ordered = number | string | bigint | readonly Ordered[]

type Arguments<T> = [T] extends [Ordered]
  ? [maxsize?: number, options?: { compare?: Compare<T> | undefined }]
  : [maxsize: number | undefined, options: { compare: Compare<T> }]

/**
 * The smallest item first: by `compare`, or numbers and strings as JavaScript orders them and arrays element by element.
 * Throws a TypeError when it has to compare items without an order, or of different kinds.
 */
export class PriorityQueue<T> extends Queue<T> {
  readonly #heap: T[] = []
  readonly #compare: Compare<T>

  constructor(maxsize: number | undefined, options: { compare: Compare<T> })
  constructor(...args: Arguments<T>)
  constructor(maxsize = 0, options?: { compare?: Compare<T> | undefined }) {
    super(maxsize)
    this.#compare = options?.compare ?? naturalOrder
  }

  override qsize(): number {
    return this.#heap.length
  }

  protected override putItem(item: T): void {
    heapPush(this.#heap, item, this.#compare)
  }

  protected override getItem(): T {
    return heapPop(this.#heap, this.#compare)
  }
}

/** Order numbers and strings as JavaScript does, arrays element by element, as Python's tuples. */
function naturalOrder(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) {
    const length = Math.min(a.length, b.length)
    for (let index = 0; index < length; index++) {
      const order = a[index] === b[index] ? 0 : naturalOrder(a[index], b[index])
      if (order !== 0) return order
    }
    return a.length - b.length
  }
  if (!(isNumber(a) && isNumber(b)) && !(typeof a === 'string' && typeof b === 'string')) {
    throw new TypeError(
      `PriorityQueue: ${describe(a)} and ${describe(b)} have no order: only numbers, strings and arrays of them have one; for anything else give it { compare }`,
    )
  }
  if ((a as number) < (b as number)) return -1
  if ((b as number) < (a as number)) return 1
  return 0
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint'
}
