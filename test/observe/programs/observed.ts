// A Node program without a server, observed: it must end by itself.
import { run, sleep, type Coroutine } from '../../../src/index.ts'
import { observe } from '../../../src/observe/index.ts'

const observer = await observe({ port: 0 })

function* main(): Coroutine<void> {
  yield* sleep(0.05)
  const end = performance.now() + 300
  while (performance.now() < end);
}

await run(main())
await run(main())
const { stalls } = (await (await fetch(`${observer.url}/stalls`)).json()) as { stalls: { seconds: number }[] }
console.log(`${stalls.filter(({ seconds }) => seconds >= 0.3).length} stalls`)
