// One word of shared memory that says whether a worker thread has an inspector session with the main thread. A process that
// ends while there is one prints "Waiting for the debugger to disconnect...", so the main thread has it ended first.

const NONE = 0
const OPEN = 1
const ENDED = 2

/** On the worker thread, before it connects. `false` once the main thread ends: no session may begin. */
export function enterSession(word: Int32Array): boolean {
  return Atomics.compareExchange(word, 0, NONE, OPEN) === NONE
}

/** On the worker thread, after it disconnected. */
export function leaveSession(word: Int32Array): void {
  Atomics.compareExchange(word, 0, OPEN, NONE)
  Atomics.notify(word, 0)
}

/** On the main thread, when the process exits: have no session begin, and wait up to `ms` milliseconds for the end of one. */
export function endSessions(word: Int32Array, ms = 50): void {
  const end = performance.now() + ms
  while (Atomics.compareExchange(word, 0, NONE, ENDED) === OPEN) {
    const left = end - performance.now()
    if (left <= 0) return
    Atomics.wait(word, 0, OPEN, left) // the inspector's questions are answered even here
  }
}
