// loopscope in browsers: the runtime, with the page or the Web Worker as its host.
import { browserHost } from './hosts/browser.ts'
import { setDefaultHost } from './runtime/host.ts'

setDefaultHost(browserHost)

export * from './runtime/index.ts'
export * from './hosts/no-streams.ts'
export { VirtualClock } from './hosts/virtual.ts'
