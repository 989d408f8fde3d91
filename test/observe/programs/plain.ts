// A Node program without a loop of loopscope, which blocks its thread in several ways, and reports from when to when.
import { execSync } from 'node:child_process'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { observe } from '../../../src/observe/index.ts'

const { url } = await observe({ port: 0 })
await setTimeout(500)
const blocked: { name: string; seconds: number }[] = []

/** This long on a processor, however busy the machine is. */
function hold(ms: number): void {
  const { user, system } = process.cpuUsage()
  for (let used = 0; used < ms * 1000;) {
    const now = process.cpuUsage()
    used = now.user + now.system - user - system
  }
}

function shell(): void {
  execSync('sleep 1.07')
}

function timed(name: string, block: () => void): void {
  const from = performance.now()
  block()
  blocked.push({ name, seconds: (performance.now() - from) / 1000 })
}

for (const ms of [150, 300]) {
  timed('hold', () => hold(ms))
  await setTimeout(60)
}
for (let slice = 0; slice < 3; slice++) {
  timed('hold', () => hold(200))
  // The timers run once in between.
  for (let turn = 0; turn < 2; turn++) await setImmediate()
}
await setTimeout(100)
timed('shell', shell)
await setTimeout(500)
console.log(`blocked ${JSON.stringify(blocked)} observer ${url}`)
/** Limits its life. */
setInterval(() => {}, 1000)
