// A program that blocks its thread twice, and reports it as OPTIONS says: options of `observe()` as JSON; FUNCTION names one
// whose value is a function that prints what it gets, or fails.
import { setTimeout } from 'node:timers/promises'
import { observe, withName, type ObserveOptions, type Stall } from '../../../src/observe/index.ts'

function block(): void {
  const { user, system } = process.cpuUsage()
  for (let used = 0; used < 150_000;) {
    const now = process.cpuUsage()
    used = now.user + now.system - user - system
  }
}

const options = JSON.parse(process.env['OPTIONS'] ?? '{}') as ObserveOptions
const functions: Record<string, ObserveOptions> = {
  logStalls: { logStalls: (line) => console.log(`line ${line}`) },
  onStall: { onStall: ({ id, name, seconds, victims, at, stack }: Stall) => console.log(`stall ${JSON.stringify({ id, name, seconds, victims, at, top: stack?.[0]?.function })}`) },
  failing: {
    onStall: () => { throw new Error('not today') },
    logStalls: (async () => { throw new Error('nor tomorrow') }) as () => void,
  },
}
const { url } = await observe({ port: 0, ...options, ...functions[process.env['FUNCTION'] ?? ''] })
const stalls = async (): Promise<number> => ((await (await fetch(`${url}/stalls`)).json()) as { stalls: { ended: boolean }[] }).stalls.filter(({ ended }) => ended).length
await setTimeout(300)
for (const name of ['first\njob', 'second job']) {
  const before = await stalls()
  withName(name, block)
  while (await stalls() === before) await setTimeout(20)
}
console.log(`over ${url}`)
/** Limits its life. */
setInterval(() => {}, 1000)
