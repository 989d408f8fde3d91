// The port to the outside: what the loop needs of the machine it runs on, and nothing more. An adapter for Node, for
// browsers and for virtual time implements it; the runtime itself is plain ECMAScript.

/** What a host knows of a coroutine object. */
export interface CoroutineInfo {
  /** Name of the generator function; '' if it has none. */
  name: string
  /** Where the function is defined, `file:line:column`. */
  location?: string
}

/** What host code has set for all that it starts, as Node's AsyncLocalStorage does, at one moment. */
export interface HostContext {
  /** Call `fn` as a method of `self` in this context. */
  runInAsyncScope<S, A extends unknown[], R>(fn: (this: S, ...args: A) => R, self: S, ...args: A): R
}

export interface Host {
  /** Seconds on a monotonic clock. */
  now(): number
  /** Seconds of real time, which pass even while `now()` is virtual and does not: how long the thread has been in use is measured by them. */
  elapsed(): number
  /** Call `fn` as soon as the current host callback is over, before any I/O. */
  soon(fn: () => void): void
  /** Call `fn` after the host has had a turn of its own: I/O, timers, drawing. */
  giveWay(fn: () => void): void
  /**
   * Call `fn` once `seconds` have passed; `Infinity` means only an outside event can help. `hostWork` counts the promises,
   * threads and events that tasks wait for. Returns what takes the call back.
   */
  wait(seconds: number, hostWork: number, fn: () => void): () => void
  /** Hold up this very thread for `seconds`. */
  block(seconds: number): void
  /** Tell whether the clock is virtual, so that no time passes while something is ready. */
  readonly virtual: boolean
  /** Keep the process alive until the returned function is called. */
  hold(): () => void
  /** Call `fn` when the user interrupts (SIGINT); returns what stops listening. */
  onInterrupt(fn: () => void): () => void
  /** Call `fn` if the process ends; returns what stops listening. */
  onExit?(fn: () => void): () => void
  /** In debug mode: have garbage collected within seconds, if `left` holds anything then. */
  collectSoon?(left: ReadonlySet<object>): void
  /** The context of the code that calls this; `null` as long as nothing was ever set in any. */
  hostContext(): HostContext | null
  /** The context in which nothing is set; `null` as long as nothing was ever set in any. */
  emptyContext(): HostContext | null
  /** Make one line of text of values, as the host's console would. */
  format(values: readonly unknown[]): string
  /** Write one line to the program's output. */
  write(line: string): void
  /** Write one line to the program's log of errors. */
  report(text: string): void
  /** Whether loops are in debug mode where nothing else is said. */
  readonly debug: boolean
  /** Name and location of a coroutine, where the host can tell. */
  inspect(coroutine: object): CoroutineInfo | null
}

let current: Host | null = null

/** Set the host that loops use where none is given. The package's entry for Node, or for browsers, does it. */
export function setDefaultHost(host: Host): void {
  current = host
}

/** The host of this environment. */
export function defaultHost(): Host {
  if (current === null) {
    throw new Error("no host: import the runtime through 'loopscope', whose entry for Node or for browsers brings one")
  }
  return current
}
