// Calls that do not come back.
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

/** The same once the call is over. */
export function throwAfterwards(words: Int32Array): void {
  setTimeout(() => {
    Atomics.store(words, 0, 1)
    Atomics.notify(words, 0)
    throw new Error('after the call')
  }, 1)
}
