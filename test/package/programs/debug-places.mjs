// Debug mode names the lines of the program and none of the package, with source maps or without.
// node:
// node: --enable-source-maps
// node: --import=tsx
import assert from 'node:assert/strict'
import { createTask, printCallGraph, Queue, run, sleep } from 'loopscope'

let graph = '', report = ''
console.error = text => { report = text }

function* inner() { yield* sleep(0.05) }
function* worker() { yield* inner() }
function* main() {
  new Queue().put(1)
  const task = createTask(worker(), { name: 'worker' })
  yield* sleep(0.01)
  printCallGraph(task, text => { graph = text })
  yield* task
}
await run(main(), { debug: true })

const places = text => [...text.matchAll(/(?:\/|at )([^/ ]+:\d+)/g)].map(match => match[1])
assert.match(graph, /^\* Task\(name="worker"\)\n {2}\+ Call stack:\n/)
assert.deepEqual(places(graph), ['debug-places.mjs:11', 'debug-places.mjs:12'])
assert.match(report, /^coroutine Queue\.put\(\) was never awaited \(called at .*debug-places\.mjs:14\)/)
assert.deepEqual(places(report).filter(place => !place.startsWith('debug-places.mjs:')), [])
