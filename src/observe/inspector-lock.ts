// A word of shared memory that says whether a worker thread has an inspector session with the main thread. A process that ends
// during a session prints "Waiting for the debugger to disconnect...", so the main thread ends the session first.

const NONE = 0
const OPEN = 1
const ENDED = 2

/** On the worker thread, before it connects. `false` if the main thread is ending: no session may begin. */
export function enterSession(word: Int32Array): boolean {
  return Atomics.compareExchange(word, 0, NONE, OPEN) === NONE
}

/** On the worker thread, after it disconnected. */
export function leaveSession(word: Int32Array): void {
  Atomics.compareExchange(word, 0, OPEN, NONE)
  Atomics.notify(word, 0)
}

/** On the main thread, when the process exits: prevents new sessions, and waits up to `ms` milliseconds for the open one to end: on a busy machine the observer's thread may have no processor. */
export function endSessions(word: Int32Array, ms = 500): void {
  const end = performance.now() + ms
  while (Atomics.compareExchange(word, 0, NONE, ENDED) === OPEN) {
    const left = end - performance.now()
    if (left <= 0) return
    Atomics.wait(word, 0, OPEN, left) // the inspector's questions are answered even here
  }
}
