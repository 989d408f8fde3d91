// An observer on the thread that it observes, with its server.
import type { AddressInfo } from 'node:net'
import { createHistogram } from 'node:perf_hooks'
import { EventLoop } from '../../src/index.ts'
import { buildObserverApp } from '../../src/observe/http.ts'
import { LoopRegistry } from '../../src/observe/loop-registry.ts'
import { watchInline } from './inline.ts'

interface Test {
  teardown(fn: () => unknown): void
}

/** Serves one until the test ends; `say` records something long. */
export async function observerHere(t: Test, unreadMs = 60_000): Promise<{ port: number; say: () => void; size: () => number }> {
  const inline = watchInline(new EventLoop({ hold: false }))
  const nowhere = (): string | null => null
  const loops = new LoopRegistry(inline.observer, {
    name: 'main', startedAt: new Date().toISOString(), app: nowhere, observer: nowhere, locate: () => Promise.resolve(new Map()), cancel: () => Promise.resolve(null), most: 10, delays: createHistogram(),
  })
  const app = await buildObserverApp(loops, {
    names: [], allowedHosts: [], proxies: [], wedgedMs: 30_000, upstream: { address: () => null, secret: '' }, readers: { unreadMs },
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  return {
    port: (app.server.address() as AddressInfo).port,
    say: () => {
      inline.probe.printed(null, 'x'.repeat(1000))
      inline.drain()
    },
    size: () => loops.size,
  }
}
