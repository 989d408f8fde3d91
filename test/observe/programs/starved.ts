// A program that works a little all the time, and reports how late it was; on request, it really blocks.
import { observe } from '../../../src/observe/index.ts'
import { getRunningLoop, run, sleep, type Coroutine } from '../../../src/index.ts'

const observer = await observe({ port: 0 })

function spin(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

/** A stall that is not the machine's: it has a processor for most of its time. */
function block(): void {
  const used = (): number => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
  const begun = used()
  const end = performance.now() + 400
  while (performance.now() < end || used() - begun < 300);
}

function* main(): Coroutine<void> {
  const loop = getRunningLoop()
  let late = 0
  let blocks = false
  process.on('SIGUSR2', () => {
    console.log(`late ${late.toFixed(3)}`)
    blocks = true
  })
  console.log(`observer ${observer.url}`)
  for (;;) {
    const began = loop.time()
    spin(2)
    yield* sleep(0.005)
    late = Math.max(late, loop.time() - began - 0.007)
    if (blocks) block()
    blocks = false
  }
}

await run(main())
