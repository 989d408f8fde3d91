// Joins a recorder to an app's loop: every request that a coroutine serves becomes events, and its tasks carry its id.
import type { Loopscope, RequestOutcome, Served } from './plugins/loopscope.ts'
import { Recorder, stamp, type RecorderOptions } from '../stream/recorder.ts'

/** Record what happens on the loop of `loopscope`, from now on. */
export function observe(loopscope: Loopscope, options: RecorderOptions): Recorder {
  const recorder = new Recorder(loopscope.loop, { pid: process.pid, ...options })
  loopscope.observer = {
    requestStarted({ id, request }: Served): void {
      recorder.record({ type: 'request.started', request: id, method: request.method, url: request.url })
      recorder.nextTask({ request: id })
    },
    requestFinished({ id, request, reply, account, task }: Served, outcome: RequestOutcome): void {
      recorder.record({
        type: 'request.finished', request: id, ...(task === null ? {} : { task: task.id }), method: request.method, url: request.url,
        status: reply.statusCode, outcome, seconds: stamp(account.run + account.ready + account.wait + account.thread),
      })
    },
  }
  return recorder
}
