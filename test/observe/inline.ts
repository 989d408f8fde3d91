// An observer on the thread that it observes: for tests of what is recorded, not when.
import type { EventLoop } from '../../src/index.ts'
import { share, viewOf } from '../../src/probe/layout.ts'
import { RingWriter } from '../../src/probe/ring.ts'
import { Observer } from '../../src/observe/observer.ts'
import { SchedulingDelay } from '../../src/observe/scheduling-delay.ts'
import { Suspensions } from '../../src/observe/suspensions.ts'
import { ThreadWatch } from '../../src/observe/thread-watch.ts'
import { Probe } from '../../src/probe/probe.ts'

export interface Inline {
  probe: Probe
  observer: Observer
  ring: RingWriter
  /** Reads everything that was written until now. */
  drain: () => void
}

export function watchInline(loop: EventLoop, options: { records?: number; history?: number } = {}): Inline {
  const shared = share(options.records ?? 2 ** 17)
  const snapshots: ArrayBuffer[] = []
  const ring = new RingWriter(shared)
  const probe = new Probe({ view: viewOf(shared), ring, loop, name: 'main', pid: 1, sendSnapshot: (content) => snapshots.push(content) })
  const observer = new Observer({
    shared, loop: 'main', history: options.history ?? 200_000, blockedSeconds: 1e9, keepSeconds: 1e9, now: () => loop.time(), origin: 0,
    takeSnapshot: () => snapshots.shift() ?? null, takeStack: async () => null, schedulingDelay: new SchedulingDelay(null), thread: new ThreadWatch(null), suspensions: new Suspensions(null),
  })
  return {
    probe, observer, ring,
    drain: () => {
      probe.flush()
      observer.drain()
    },
  }
}
