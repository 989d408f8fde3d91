// Where something lies in a list that is in order, found by halves.

/** The first of the indices below `length` for which `isBefore` no longer holds, or `length`; it must hold for all before that one. */
export function lowerBound(length: number, isBefore: (index: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}
