// A process of a cluster without a server: a loop with events that a test makes, published and followed by the real
// implementation.
import { RedisCluster } from '../../src/redis/cluster.ts'
import type { LoopRegistry } from '../../src/observe/loop-registry.ts'
import { MonitoredLoop } from '../../src/observe/monitored-loop.ts'
import type { LoopEvent, LoopInfo } from '../../src/events/schema.ts'
import { History } from '../../src/events/history.ts'

export class LightLoop extends MonitoredLoop {
  #tasks = 0

  constructor(loop: string) {
    super({ loop, history: new History(5000), keepSeconds: 1, origin: Date.now() - performance.now() })
  }

  now(): number {
    return performance.now() / 1000
  }

  nameOf(task: number): string {
    return `task ${task}`
  }

  /** A task begins to live. */
  create(name: string): void {
    this.emit({ type: 'task.created', task: ++this.#tasks, name, coroutine: 'main' })
  }

  emit(event: { type: LoopEvent['type'] } & Record<string, unknown>): void {
    this.apply({ ...event, seq: this.history.last + 1, t: this.now(), loop: this.loop } as unknown as LoopEvent)
    this.notify()
  }

  info(): LoopInfo {
    return {
      loop: this.loop, epoch: this.history.epoch, name: 'light', pid: process.pid, host: 'here', state: 'live', since: new Date().toISOString(), seenAt: new Date().toISOString(),
      self: true, tasks: this.model.tasks.size, runs: 0, requests: 0, blocked: null, stalls: 0, utilization: 0, app: null, observer: null,
    }
  }
}

export interface Light {
  own: LightLoop
  cluster: RedisCluster
  /** What it has logged. */
  log: string[]
  /** Its name and the states of the others. */
  states(): string
}

export function join(url: string, name: string): Light {
  const own = new LightLoop(name)
  const log: string[] = []
  const cluster = new RedisCluster({
    url, loops: { own, ownInfo: () => own.info() } as unknown as LoopRegistry, keepSeconds: 1, cancel: async () => null,
    log: (_level, message) => void log.push(message), onName: () => {},
  })
  return { own, cluster, log, states: () => cluster.infos().map(({ loop, state }) => `${loop} ${state}`).join(', ') }
}
