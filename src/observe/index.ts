// `loopscope/observe`: watches the event loops and the thread of any Node program from a second thread.
import type { EventLoop } from '../runtime/loop.ts'
import { getRunningLoop } from '../runtime/abstract-loop.ts'
import { onLoopStart } from '../runtime/loop.ts'
import { running } from '../runtime/running.ts'
import '../index.ts'
import { isOwnThread } from '../threads/register.ts'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'
import { OBSERVER_OPTIONS, ObserverClient, type ObserverOptions } from './client.ts'
import { requireKnown, type Names } from './options.ts'
import { ObserverListenError } from './thread-life.ts'

export { withName } from './current-request.ts'
export { ObserverListenError, type ObserverOptions }
export type { Stall } from './stall.ts'

export interface ObserveOptions extends ObserverOptions {
  /** The loop to watch. Default: the running one, or each loop that starts to run, one at a time. */
  loop?: EventLoop
}

const OPTIONS: Names<Required<ObserveOptions>> = { ...OBSERVER_OPTIONS, loop: true }

export interface Observing {
  /** The address of the live view and the stream; `null` if the observer does not listen. */
  readonly url: string | null
  /** Stops watching and ends the observer's thread. A program that ends by itself need not call it. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** The observing of this thread, by any copy of the package. */
const OBSERVING = Symbol.for('loopscope.observing')
const own = globalThis as { [OBSERVING]?: Observing | undefined }

/** Threads that start later inherit this value: a preload that calls `observe` runs in each of them too. */
const INHERITED = 'loopscope.observing'

/**
 * Starts an observer of this process. It sees every task of the loop that it watches, and whatever blocks this thread, and
 * serves that on `port` (8001). Rejects with an ObserverListenError if it cannot listen there, with a TypeError for an option
 * that does not exist, and with an Error if this thread is observed already. It does not keep the process alive.
 *
 * A preload (`--import`, `NODE_OPTIONS`) may call it. In worker threads of an observed process, and in threads of
 * loopscope's `toThread`, it starts nothing. It then returns the address at which the process was observed when the thread
 * started (`url` is `null` if that was not known), and a `close` without effect.
 */
export async function observe(options: ObserveOptions = {}): Promise<Observing> {
  requireKnown('observe', options, OPTIONS)
  const known = own[OBSERVING]
  if (known !== undefined) throw new Error(`observe: this process is observed already${known.url === null ? '' : `, at ${known.url}`}: close() that one first`)
  const elsewhere = observedElsewhere()
  if (elsewhere !== null) return elsewhere
  const client = new ObserverClient(options, ['requests'])
  let stopWatching = (): void => {}
  const started: Observing = {
    get url() {
      return client.url
    },
    close: async () => {
      if (own[OBSERVING] === started) {
        own[OBSERVING] = undefined
        setEnvironmentData(INHERITED, undefined)
      }
      stopWatching()
      await client.close()
    },
    [Symbol.asyncDispose]: () => started.close(),
  }
  own[OBSERVING] = started
  setEnvironmentData(INHERITED, { url: null })
  const loop = options.loop ?? (running.loop === null ? null : getRunningLoop())
  if (loop !== null) client.watch(loop)
  else {
    // A virtual clock jumps: what blocks its loop blocks nothing else, and takes no time.
    stopWatching = onLoopStart((next) => {
      if (!next.host.virtual) client.watch(next)
    })
  }
  client.watchRequests()
  client.watchThread()
  try {
    await client.ready
    if (own[OBSERVING] === started) setEnvironmentData(INHERITED, { url: started.url })
  } catch (error) {
    await started.close()
    throw error
  }
  return started
}

/**
 * What another thread of this process has started, or would have to start if this is one of loopscope's threads; `null` if
 * this thread may start an observer.
 */
function observedElsewhere(): Observing | null {
  if (isMainThread) return null
  const inherited = getEnvironmentData(INHERITED) as unknown as { url: string | null } | undefined
  if (inherited === undefined && !isOwnThread()) return null
  const close = (): Promise<void> => Promise.resolve()
  return { url: inherited?.url ?? null, close, [Symbol.asyncDispose]: close }
}
