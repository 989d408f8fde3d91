// loopscope on Node: the runtime, with Node as its host, streams, subprocesses and worker threads.
import { nodeHost } from './hosts/node.ts'
import { setDefaultHost } from './runtime/host.ts'
import { registerThreads } from './threads/register.ts'

setDefaultHost(nodeHost)
registerThreads()

export * from './runtime/index.ts'
export * from './streams/index.ts'
export { VirtualClock } from './hosts/virtual.ts'
export { BrokenThread, NoThread } from './threads/errors.ts'
export { workerFunction } from './threads/exports.ts'
export type { ThreadOptions } from './threads/main-threads.ts'
export { closeThreads, configureThreads, prepareThreads, threadsState } from './threads/register.ts'
export type { LaneState, ThreadsState } from './threads/state.ts'
