import { threadId } from 'node:worker_threads'
import { asyncToSync, syncToAsync } from 'loopscope'

export function here() {
  return threadId
}
export function* asksSensitive() {
  return yield* syncToAsync(here, { thread: 'sensitive' })()
}
export function inPool() {
  return asyncToSync(asksSensitive)()
}
export function* asksPool() {
  return yield* syncToAsync(inPool, { thread: 'pool' })()
}
export function outermost() {
  return [threadId, asyncToSync(asksPool)()]
}
