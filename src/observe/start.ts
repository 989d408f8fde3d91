// Starts the observer of this thread: for observe(), and for loopscope/register.
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'
import type { EventLoop } from '../runtime/loop.ts'
import { getRunningLoop } from '../runtime/abstract-loop.ts'
import { onLoopStart } from '../runtime/loop.ts'
import { running } from '../runtime/running.ts'
import { isOwnThread } from '../threads/register.ts'
import { ObserverClient, type FromStart, type ObserverOptions } from './client.ts'
import { borrowed, observing, setObserving, type Observing } from './observed.ts'

/** Threads that start later inherit this value: a preload that starts an observer runs in each of them too. */
const INHERITED = 'loopscope.observing'

/** The observer that `loopscope/register` has started, if it is of this copy of the package. */
let preloaded: ObserverClient | null = null

export interface Started {
  client: ObserverClient
  observing: Observing
}

/** Starts an observer, which watches `loop`, or the running one, or each loop that starts to run, one at a time. */
export function start(options: ObserverOptions, loop: EventLoop | null, fromStart: FromStart | null = null): Started {
  const client = new ObserverClient(options, ['requests'], fromStart)
  let stopWatching = (): void => {}
  const started = {
    get url() {
      return client.url
    },
    close: async () => {
      if (observing() === started) {
        setObserving(undefined)
        setEnvironmentData(INHERITED, undefined)
      }
      if (preloaded === client) preloaded = null
      stopWatching()
      await client.close()
    },
    [Symbol.asyncDispose]: () => started.close(),
    fromStart: fromStart !== null,
    ready: client.ready,
  }
  setObserving(started)
  setEnvironmentData(INHERITED, { url: null })
  const watched = loop ?? (running.loop === null ? null : getRunningLoop())
  if (watched !== null) client.watch(watched)
  else {
    // A virtual clock jumps: what blocks its loop blocks nothing else, and takes no time.
    stopWatching = onLoopStart((next) => {
      if (!next.host.virtual) client.watch(next)
    })
  }
  if (fromStart !== null) preloaded = client
  client.watchRequests()
  client.watchThread()
  client.ready.then(() => {
    if (observing() === started) setEnvironmentData(INHERITED, { url: started.url })
  }, () => {})
  return { client, observing: started }
}

/**
 * The observer that `loopscope/register` has started on this thread: the program's own code uses it instead of another.
 * `null` if it has started no observer, or one of another copy of the package.
 */
export function preloadedObserver(): ObserverClient | null {
  return preloaded
}

/**
 * What another thread of this process has started, or would have to start if this is one of loopscope's threads; `null` if
 * this thread may start an observer.
 */
export function observedElsewhere(): Observing | null {
  if (isMainThread) return null
  const inherited = getEnvironmentData(INHERITED) as unknown as { url: string | null } | undefined
  return inherited === undefined && !isOwnThread() ? null : borrowed({ url: inherited?.url ?? null })
}
