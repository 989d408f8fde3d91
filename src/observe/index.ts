// `loopscope/observe`: watches the event loops and the thread of any Node program from a second thread.
import type { EventLoop } from '../runtime/loop.ts'
import '../index.ts'
import { OBSERVER_OPTIONS, type ObserverOptions } from './client.ts'
import { borrowed, observing, type Observing } from './observed.ts'
import { requireKnown, type Names } from './options.ts'
import { observedElsewhere, preloadedObserver, start } from './start.ts'
import { ObserverListenError } from './thread-life.ts'

export { withName } from './current-request.ts'
export { ObserverListenError, type ObserverOptions, type Observing }
export type { Stall } from './stall.ts'

export interface ObserveOptions extends ObserverOptions {
  /** The loop to watch. Default: the running one, or each loop that starts to run, one at a time. */
  loop?: EventLoop
}

const OPTIONS: Names<Required<ObserveOptions>> = { ...OBSERVER_OPTIONS, loop: true }

/** Longer than any program waits. */
const LONGEST_MS = 2 ** 31 - 1

/** Waits, and keeps the process alive, until that observer listens; `false` if it cannot be started. */
async function isReady({ ready }: NonNullable<ReturnType<typeof observing>>): Promise<boolean> {
  const stay = setInterval(() => {}, LONGEST_MS)
  try {
    await ready
    return true
  } catch {
    return false
  } finally {
    clearInterval(stay)
  }
}

/**
 * Starts an observer of this process. It sees every task of the loop that it watches, and whatever blocks this thread, and
 * serves that on `port` (8001). Rejects with an ObserverListenError if it cannot listen there, with a TypeError for an option
 * that does not exist, and with an Error if this thread is observed already. It does not keep the process alive.
 *
 * A preload (`--import`, `NODE_OPTIONS`) may call it. In worker threads of an observed process, and in threads of
 * loopscope's `toThread`, it starts nothing. It then returns the address at which the process was observed when the thread
 * started (`url` is `null` if that was not known), and a `close` without effect.
 *
 * In a program that `loopscope run` or `loopscope/register` has started, the observer exists already. It then returns the
 * address of that one, which has options of its own, and a `close` without effect.
 */
export async function observe(options: ObserveOptions = {}): Promise<Observing> {
  requireKnown('observe', options, OPTIONS)
  const known = observing()
  if (known?.fromStart === true && await isReady(known)) {
    if (options.loop !== undefined) preloadedObserver()?.watch(options.loop)
    return borrowed(known)
  }
  if (known !== undefined && known === observing()) throw new Error(`observe: this process is observed already${known.url === null ? '' : `, at ${known.url}`}: close() that one first`)
  const elsewhere = observedElsewhere()
  if (elsewhere !== null) return elsewhere
  const { loop = null, ...rest } = options
  const { client, observing: started } = start(rest, loop)
  try {
    await client.ready
  } catch (error) {
    await started.close()
    throw error
  }
  return started
}
