// loopscope on Node: the runtime, with Node as its host.
import { nodeHost } from './hosts/node.ts'
import { setDefaultHost } from './runtime/host.ts'

setDefaultHost(nodeHost)

export * from './runtime/index.ts'
export { VirtualClock } from './hosts/virtual.ts'
