// Calls that can be lined up: with each other, and with the test.
import { threadId } from 'node:worker_threads'

const LONGEST_MS = 20_000

/** Waits until `parties` calls are in here at once; returns whether they ever were. `words[0]` counts them. */
export function meet(words: Int32Array, parties: number): boolean {
  Atomics.add(words, 0, 1)
  Atomics.notify(words, 0)
  for (let here = Atomics.load(words, 0); here < parties; here = Atomics.load(words, 0)) {
    if (Atomics.wait(words, 0, here, LONGEST_MS) === 'timed-out') return false
  }
  return true
}

/** Sets `words[0]` when it has begun, and stays until `words[1]` is set; returns the thread's id. */
export function hold(words: Int32Array): number {
  Atomics.add(words, 0, 1)
  Atomics.notify(words, 0)
  Atomics.wait(words, 1, 0, LONGEST_MS)
  Atomics.store(words, 2, 1)
  Atomics.notify(words, 2)
  return threadId
}

/** Notes in `words` how many calls are in here at once (0), and the highest number so far (1); returns the value `before`. */
export function pass(words: Int32Array): number {
  const inside = Atomics.add(words, 0, 1) + 1
  if (inside > Atomics.load(words, 1)) Atomics.store(words, 1, inside)
  const before = Atomics.add(words, 2, 1)
  Atomics.sub(words, 0, 1)
  return before
}

export function whichThread(): number {
  return threadId
}
