// A binary heap in an array, with the very algorithm of Python's heapq: items that compare equal come out in the same
// order as there.

export type Compare<T> = (a: T, b: T) => number

function siftDown<T>(heap: T[], start: number, from: number, compare: Compare<T>): void {
  const item = heap[from] as T
  let index = from
  while (index > start) {
    const parent = (index - 1) >> 1
    if (compare(item, heap[parent] as T) >= 0) break
    heap[index] = heap[parent] as T
    index = parent
  }
  heap[index] = item
}

/** Bubble the smaller child up until a leaf is reached, then sift the item down from there: fewer comparisons than stopping early. */
function siftUp<T>(heap: T[], compare: Compare<T>): void {
  const end = heap.length
  const item = heap[0] as T
  let index = 0
  let child = 1
  while (child < end) {
    const right = child + 1
    if (right < end && compare(heap[child] as T, heap[right] as T) >= 0) child = right
    heap[index] = heap[child] as T
    index = child
    child = 2 * index + 1
  }
  heap[index] = item
  siftDown(heap, 0, index, compare)
}

export function heapPush<T>(heap: T[], item: T, compare: Compare<T>): void {
  heap.push(item)
  siftDown(heap, 0, heap.length - 1, compare)
}

/** Remove the smallest item. Only if the heap is not empty. */
export function heapPop<T>(heap: T[], compare: Compare<T>): T {
  const last = heap.pop() as T
  if (heap.length === 0) return last
  const first = heap[0] as T
  heap[0] = last
  siftUp(heap, compare)
  return first
}

/** Order numbers and strings as JavaScript does, arrays element by element, as Python's tuples. */
export function naturalOrder(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) {
    const length = Math.min(a.length, b.length)
    for (let index = 0; index < length; index++) {
      const order = naturalOrder(a[index], b[index])
      if (order !== 0) return order
    }
    return a.length - b.length
  }
  if ((a as number) < (b as number)) return -1
  if ((b as number) < (a as number)) return 1
  return 0
}
