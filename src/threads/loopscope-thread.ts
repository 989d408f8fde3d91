// Where a worker thread begins.
import { workerData } from 'node:worker_threads'
import { nodeHost } from '../hosts/node.ts'
import { setDefaultHost } from '../runtime/host.ts'
import { setThreads } from '../runtime/threads.ts'
import type { ThreadData } from './thread.ts'
import { Channel } from './channel.ts'
import { WorkerLoop } from './worker-loop.ts'
import { registerTsx } from './tsx.ts'
import { WorkerThreads } from './worker-threads.ts'

const { memory, port, bell } = (workerData as ThreadData).loopscopeThread
const loop = new WorkerLoop(new Channel('worker', memory, port, bell))
setDefaultHost(nodeHost)
setThreads(new WorkerThreads(loop))

// Waiting in shared memory does not keep this thread's event loop alive.
setInterval(() => {}, 2 ** 30)
await registerTsx()
await loop.serve()
