// Watches a server that nothing blocks for a while, first idle, then busy, and prints what its observer reported meanwhile:
// node --import ./tools/ts.mjs test/observe/soak.ts [minutes of each] [idle|busy: only that one]
import { fetch } from 'undici'
import { processorTime } from '../support/programs.ts'
import { startServer, subscribe } from './support.ts'

const minutes = Number(process.argv[2] ?? 5)
const only = process.argv[3]
const after: (() => unknown)[] = []
const { child, url, observer } = await startServer({ teardown: (fn) => after.push(fn) })
for (const thread of ['sensitive', 'pool']) await fetch(`${url}/handlers/sync?ms=1&thread=${thread}`)
await new Promise((resolve) => setTimeout(resolve, 2000))

async function soak(name: string, work: (until: number) => Promise<void>): Promise<void> {
  if (only !== undefined && only !== name) return
  const { t: begun } = (await (await fetch(`${url}/ping`)).json()) as { t: number }
  const watching = await subscribe(observer, '?types=loop.blocked,loop.unblocked')
  const before = processorTime(child.pid)
  const until = performance.now() + minutes * 60_000
  await work(until)
  const used = processorTime(child.pid) - before
  const alarms = watching.messages.filter((event) => event.type === 'loop.unblocked' && (event.since ?? 0) > begun)
  console.log(`${name}, ${minutes} min: ${alarms.length} stalls told, ${(used / (minutes * 0.6)).toFixed(2)} % of a processor`)
  for (const alarm of alarms) console.log(`  ${JSON.stringify(alarm).slice(0, 300)}`)
  watching.socket.close()
}

await soak('idle', (until) => new Promise((resolve) => setTimeout(resolve, until - performance.now())))
await soak('busy', async (until) => {
  await Promise.all(Array.from({ length: 4 }, async () => {
    while (performance.now() < until) await (await fetch(`${url}/ping`)).text()
  }))
})
for (const fn of after) fn()
