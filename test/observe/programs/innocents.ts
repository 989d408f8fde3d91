// A Node program that blocks in native functions, with innocent functions called afterwards; in a worker thread it reports
// that itself.
import { setTimeout } from 'node:timers/promises'
import { isMainThread, Worker } from 'node:worker_threads'
import { observe } from '../../../src/observe/index.ts'

const inWorker = process.argv[2] === 'worker'

function audit(value: unknown): boolean {
  return value === undefined
}
const auditArrow = (value: unknown): boolean => value === undefined
class Auditor {
  audit(value: unknown): boolean {
    return value === undefined
  }
}

function hold(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

async function main(): Promise<void> {
  const { url } = await observe({ port: 0 })
  await setTimeout(500)
  if (inWorker) {
    // On a busy machine it may have no processor for most of that, and then it is not blocked.
    void (async () => {
      for (let at = 0; at < 30; at++) {
        hold(500)
        await setTimeout(100)
      }
    })()
  } else {
    const text = JSON.stringify(Array.from({ length: 600_000 }, (_, id) => ({ id, name: `name ${id}` })))
    await setTimeout(300)
    const load = (): unknown => JSON.parse(text)
    const auditor = new Auditor()
    for (const check of [audit, auditArrow, (value: unknown) => auditor.audit(value)]) {
      await setTimeout(100)
      const value = load()
      check(value)
    }
  }
  await setTimeout(500)
  console.log(`observer ${url}`)
  /** Limits its life. */
  setInterval(() => {}, 1000)
}

if (isMainThread && inWorker) {
  new Worker(new URL(import.meta.url), { argv: ['worker'] })
  // The main thread runs all the time, and reads messages in between.
  setInterval(function innocent() { hold(20) }, 25)
} else {
  await main()
}
