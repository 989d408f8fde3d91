// What observes this thread: at most one observer, whichever copy of the package has started it.

export interface Observing {
  /** The address of the live view and the stream; `null` if the observer does not listen. */
  readonly url: string | null
  /** Stops watching and ends the observer's thread. A program that ends by itself need not call it. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** An observing, as other copies of the package see it. */
interface Known extends Observing {
  /** `loopscope/register` has started it, before the program. */
  readonly fromStart?: boolean
  /** Resolves once it listens; rejects if it cannot be started. */
  readonly ready?: Promise<void>
}

const OBSERVING = Symbol.for('loopscope.observing')
const own = globalThis as { [OBSERVING]?: Known | undefined }

/** The observing of this thread; `undefined` if it is not observed. */
export function observing(): Known | undefined {
  return own[OBSERVING]
}

export function setObserving(known: Known | undefined): void {
  own[OBSERVING] = known
}

/** Whether `loopscope/register` observes this thread. */
export function isObservedFromStart(): boolean {
  return own[OBSERVING]?.fromStart === true
}

/** An observing that is not the caller's: its `close` has no effect. */
export function borrowed(of: { readonly url: string | null }): Observing {
  const close = (): Promise<void> => Promise.resolve()
  return {
    get url() {
      return of.url
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
