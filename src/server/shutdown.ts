// The shutdown: takes no new requests, lets others finish until a deadline, cancels the rest, ends the streams, closes. It has
// a deadline of its own: a client that keeps its connection open, or a thread that does not end, cannot delay it further.
import { closeThreads } from '../index.ts'
import type { App } from './app.ts'
import type { Served } from '../fastify/index.ts'

/** How long cancelled tasks that clean up may delay it after the deadline, in seconds. */
const CLEANUP_SECONDS = 1
/** How long closing itself may take, in seconds: connections, the observer's thread, worker threads. */
const CLOSE_SECONDS = 3

/** Closes the app with grace. Logs what had to be cut off. */
export async function shutDown(app: App, signal: string): Promise<void> {
  const { graceSeconds } = app.config
  app.draining.since = Date.now()
  app.observer.drains()
  const waitedFor = (): Served[] => [...app.loopscope.active].filter(({ endless }) => !endless)
  app.log.info({ requests: waitedFor().length, runs: app.runs.live, streams: app.observer.size }, `${signal}: closing, within ${graceSeconds} s`)
  app.server.close()
  app.server.closeIdleConnections()
  await until(() => waitedFor().length === 0, graceSeconds)
  const left = waitedFor()
  if (left.length > 0) {
    const names = left.slice(0, 20).map(({ task }) => task?.getName() ?? '?')
    const { tasks, connections } = app.loopscope.stillOpen()
    app.log.warn({ requests: names, count: left.length, runs: app.runs.live, tasks, connections }, `${left.length} requests did not finish in ${graceSeconds} s and are cut off`)
    for (const { task } of left) task?.cancel('the server is closing')
    await until(() => waitedFor().length === 0, CLEANUP_SECONDS)
  }
  const closed = app.close().then(() => closeThreads()).then(() => true)
  if (await Promise.race([closed, after(CLOSE_SECONDS)])) app.log.info('closed')
  else app.log.warn(app.loopscope.stillOpen(), `closing took more than ${CLOSE_SECONDS} s: the process ends with something still open`)
}

function after(seconds: number): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000, false))
}

async function until(condition: () => boolean, seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  while (!condition() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
}
