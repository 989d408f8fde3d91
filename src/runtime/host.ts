// The interface between the loop and its environment. Adapters for Node, for browsers and for virtual time implement it;
// the runtime itself is plain ECMAScript.

/** The host's information about a coroutine object. */
export interface CoroutineInfo {
  /** Name of the generator function, '' if it is anonymous. */
  name: string
  /** Where the function is defined, `file:line:column`. */
  location?: string
}

/** A snapshot of the host's own context variables, as Node's AsyncLocalStorage sets them. */
export interface HostContext {
  /** Call `fn` as a method of `self` in this context. */
  runInAsyncScope<S, A extends unknown[], R>(fn: (this: S, ...args: A) => R, self: S, ...args: A): R
}

export interface Host {
  /** Seconds on a monotonic clock. */
  now(): number
  /** Seconds of real time, also where `now()` is virtual: they measure how long the thread has been in use. */
  elapsed(): number
  /** Call `fn` as soon as the current host callback is over, before any I/O. */
  soon(fn: () => void): void
  /** Call `fn` after the host has done its own work: I/O, timers, drawing. */
  giveWay(fn: () => void): void
  /**
   * Call `fn` once `seconds` have passed; `Infinity` means that only an outside event can wake the loop. `hostWork` is the
   * number of promises, threads and events that tasks wait for. Returns a function that cancels the call.
   */
  wait(seconds: number, hostWork: number, fn: () => void): () => void
  /** Block this thread for `seconds`. */
  block(seconds: number): void
  /** Whether the clock is virtual: no time passes while something is ready. */
  readonly virtual: boolean
  /** Keep the process alive until the returned function is called. */
  hold(): () => void
  /** Call `fn` when the user interrupts (SIGINT). Returns a function that stops listening. */
  onInterrupt(fn: () => void): () => void
  /** Call `fn` at each signal `signal`. Returns a function that stops listening. Throws for what cannot be listened to. */
  onSignal(signal: string, fn: () => void): () => void
  /** Call `fn` if the process ends. Returns a function that stops listening. */
  onExit?(fn: () => void): () => void
  /** In debug mode: collect garbage within seconds, if `left` is not empty then. */
  collectSoon?(left: ReadonlySet<object>): void
  /** The context of the caller; `null` as long as no context has a value. */
  hostContext(): HostContext | null
  /** The empty context; `null` as long as no context has a value. */
  emptyContext(): HostContext | null
  /** Format values as one line of text, as the host's console does. */
  format(values: readonly unknown[]): string
  /** Write one line to the program's output. */
  write(line: string): void
  /** Write one line to the program's log of errors. */
  report(text: string): void
  /** Whether loops are in debug mode by default. */
  readonly debug: boolean
  /** Name and location of a coroutine, `null` if unknown. */
  inspect(coroutine: object): CoroutineInfo | null
}

let current: Host | null = null

/** Set the host that loops use by default. The package's entry for Node, or for browsers, calls this. */
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
