// A binary heap in an array, with the algorithm of Python's heapq: equal items come out in the same order. Unlike heapq, a
// comparison that throws leaves the heap unchanged.

export type Compare<T> = (a: T, b: T) => number

/** Move the item at `from` up to its place. All comparisons come before the first move. */
function siftDown<T>(heap: T[], start: number, from: number, compare: Compare<T>): void {
  const item = heap[from] as T
  let place = from
  while (place > start) {
    const parent = (place - 1) >> 1
    if (compare(item, heap[parent] as T) >= 0) break
    place = parent
  }
  for (let index = from; index > place;) {
    const parent = (index - 1) >> 1
    heap[index] = heap[parent] as T
    index = parent
  }
  heap[place] = item
}

/** Move the smaller child up until a leaf is reached, then sift the item from there: fewer comparisons than stopping early. */
function siftUp<T>(heap: T[], compare: Compare<T>): void {
  const end = heap.length
  const item = heap[0] as T
  let index = 0
  try {
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
  } catch (error) {
    // Undo the moves.
    while (index > 0) {
      const parent = (index - 1) >> 1
      heap[index] = heap[parent] as T
      index = parent
    }
    heap[0] = item
    throw error
  }
}

export function heapPush<T>(heap: T[], item: T, compare: Compare<T>): void {
  heap.push(item)
  try {
    siftDown(heap, 0, heap.length - 1, compare)
  } catch (error) {
    heap.pop()
    throw error
  }
}

/** Remove the smallest item. Only if the heap is not empty. */
export function heapPop<T>(heap: T[], compare: Compare<T>): T {
  const last = heap.pop() as T
  if (heap.length === 0) return last
  const first = heap[0] as T
  heap[0] = last
  try {
    siftUp(heap, compare)
  } catch (error) {
    heap[0] = first
    heap.push(last)
    throw error
  }
  return first
}
