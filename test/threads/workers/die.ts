// Calls that do not return.
export function exit(code: number): never {
  process.exit(code)
}

/** An error that nothing catches, thrown by the thread's event loop while the call runs. */
export function throwOutside(): Promise<never> {
  setTimeout(() => {
    throw new Error('outside of any call')
  }, 1)
  return new Promise(() => {})
}

/** The same once the call is over, thrown or as a rejection. */
export function throwAfterwards(words: Int32Array, how: 'throw' | 'reject'): void {
  setTimeout(() => {
    Atomics.store(words, 0, 1)
    Atomics.notify(words, 0)
    const error = new Error('after the call')
    if (how === 'throw') throw error
    void Promise.reject(error)
  }, 1)
}

/** Sets `words[0]` when it has begun, and exits when `words[1]` is set. */
export function exitWhenTold(words: Int32Array): never {
  Atomics.add(words, 0, 1)
  Atomics.wait(words, 1, 0, 20_000)
  process.exit(4)
}
