// `loopscope/observe`: watch the event loops of any Node program, and its thread, from a thread beside it.
import type { EventLoop } from '../runtime/loop.ts'
import { EventLoop as Loop } from '../runtime/loop.ts'
import { running } from '../runtime/running.ts'
import '../index.ts'
import { ObserverClient, type ObserverOptions } from './client.ts'
import { ObserverListenError } from './life.ts'

export { ObserverListenError, type ObserverOptions }

export interface ObserveOptions extends ObserverOptions {
  /** The loop to watch; by default the one that runs, or each that is run from now on, one at a time. */
  loop?: EventLoop
}

export interface Observing {
  /** Where the live view and the stream are; `null` where the observer does not listen. */
  readonly url: string | null
  /** Stop watching and end the observer's thread. A program that ends by itself need not call it. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

let observing: Observing | null = null

/**
 * Start an observer of this process. It sees every task of the loop that it watches, and whatever blocks this thread, and
 * serves that on `port` (8001). Rejects with an ObserverListenError where it cannot listen there, and with an Error where
 * this process is observed already. It does not keep the process alive.
 */
export async function observe(options: ObserveOptions = {}): Promise<Observing> {
  if (observing !== null) throw new Error('observe: this process is observed already: close() that one first')
  const client = new ObserverClient(options)
  let stopWatching = (): void => {}
  const started: Observing = {
    get url() {
      return client.url
    },
    close: async () => {
      if (observing === started) observing = null
      stopWatching()
      await client.close()
    },
    [Symbol.asyncDispose]: () => started.close(),
  }
  observing = started
  const loop = options.loop ?? running.loop
  if (loop !== null) client.watch(loop)
  else stopWatching = watchNextLoops(client)
  client.watchThread()
  try {
    await client.ready
  } catch (error) {
    await started.close()
    throw error
  }
  return started
}

/** Have `client` watch each loop when it is run; the returned function ends that. */
function watchNextLoops(client: ObserverClient): () => void {
  const own = Object.getOwnPropertyDescriptor(Loop.prototype, 'runForever') as PropertyDescriptor
  const runForever = own.value as (this: Loop) => Promise<void>
  Loop.prototype.runForever = function () {
    // A virtual clock jumps: what blocks its loop blocks nothing else, and takes no time.
    if (!this.host.virtual) client.watch(this)
    return runForever.call(this)
  }
  return () => {
    Object.defineProperty(Loop.prototype, 'runForever', own)
  }
}
