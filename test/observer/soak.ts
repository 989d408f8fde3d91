// Watches a server for a while that nothing blocks, first idle, then busy, and says what its observer claimed meanwhile:
// node --import ./tools/ts.mjs test/observer/soak.ts [minutes of each] [idle|busy: only that one]
import { spawn } from 'node:child_process'
import { fetch } from 'undici'
import { processorTime } from '../support/programs.ts'
import { eventually } from '../support/server.ts'
import { subscribe } from './support.ts'

const minutes = Number(process.argv[2] ?? 5)
const only = process.argv[3]
const child = spawn(process.execPath, ['--import', './tools/ts.mjs', 'src/server/main.ts'], {
  env: { PATH: process.env['PATH'], PORT: '0', LOG_LEVEL: 'warn', RATE_LIMIT: '0' }, stdio: ['ignore', 'pipe', 'inherit'],
})
let log = ''
child.stdout.on('data', (chunk: Buffer) => { log += chunk.toString() })
await eventually(() => log.includes('try:'))
const url = /loopscope listens on (\S+)/.exec(log)![1]!
const observer = /loop is blocked, listens on (\S+)/.exec(log)![1]!
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
child.kill('SIGTERM')
