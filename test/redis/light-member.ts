// A process of a cluster without a server, with a wall clock that is hours off: it makes a task now and then, and reports the
// states of the other loops.
import { join } from './light.ts'

const [url, name, hours] = process.argv.slice(2) as [string, string, string]
const { now } = Date
const offset = Number(hours) * 3_600_000
globalThis.Date = class extends Date {
  constructor(...args: [] | [number | string]) {
    super(...(args.length === 0 ? [now() + offset] as const : args as [number]))
  }

  static override now(): number {
    return now() + offset
  }
} as DateConstructor

const { own, cluster } = join(url, name)
setInterval(() => {
  own.create('one')
  const infos = cluster.infos().map(({ loop, state, epoch, since, seenAt }) => ({ loop, state, epoch, ago: [since, seenAt].map((time) => Date.now() - Date.parse(time)) }))
  console.log(JSON.stringify({ now: Date.now(), connected: cluster.redis.state, infos }))
}, 100)
