// What a call that blocks does to others, by the thread that it blocks: `?thread=inline`, the loop's own; `sensitive`, the one
// thread for code that must not run in parallel, as in Django; `pool`, one of several.
import type { Application } from '../../src/asgi/index.ts'
import { syncToAsync, type Coroutine, type ThreadMode } from '../../src/index.ts'
import { blockingSleep } from '../../workers/blocking-sleep.ts'
import { respond, text } from './responses.ts'

const threads: Record<ThreadMode, (seconds: number) => Coroutine<number>> = {
  inline: syncToAsync(blockingSleep, { thread: 'inline' }),
  sensitive: syncToAsync(blockingSleep, { thread: 'sensitive' }),
  pool: syncToAsync(blockingSleep, { thread: 'pool' }),
}

/** `maxMs`: the longest time that a client may ask for. */
export function blocking(maxMs = 10_000): Application {
  return function* (scope, _receive, send) {
    if (scope.type !== 'http') throw new Error(`only for HTTP, not for the scope ${scope.type}`)
    const query = new URLSearchParams(text(scope.query_string))
    const thread = query.get('thread') ?? 'inline'
    const ms = query.get('ms') ?? '1000'
    if (!Object.hasOwn(threads, thread)) return yield* respond(send, 400, `thread: must be one of ${Object.keys(threads).join(', ')}\n`)
    if (!/^\d{1,6}$/.test(ms) || Number(ms) > maxMs) return yield* respond(send, 400, `ms: must be a whole number from 0 to ${maxMs}\n`)
    const took = yield* threads[thread as ThreadMode](Number(ms) / 1000)
    yield* respond(send, 200, `a thread (${thread}) was blocked for ${Math.round(took * 1000)} ms\n`)
  }
}
