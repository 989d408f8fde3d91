// What awaits a task, and what awaits a plain future, in every way to wait; and a graph with many paths is as long as it has
// tasks.
import assert from 'node:assert/strict'
import { asCompleted, captureCallGraph, createTask, Future, gather, printCallGraph, run, shield, sleep, VirtualClock, wait, waitFor } from 'loopscope'

const inVirtualTime = main => run(main(), { clock: new VirtualClock() })

await inVirtualTime(function* () {
  for (const target of [createTask(sleep(600)), new Future()]) {
    const ways = {
      asCompleted: function* () { for (const next of asCompleted([target])) yield* next },
      shield: function* () { yield* shield(target) },
      gather: function* () { yield* gather([target]) },
      wait: function* () { yield* wait([target]) },
      waitFor: function* () { yield* waitFor(target, 99) },
      await: function* () { yield* target },
      both: function* () { yield* gather([shield(target), sleep(600)]) },
    }
    for (const [name, way] of Object.entries(ways)) createTask(way(), { name })
    yield* sleep(0.1)
    assert.deepEqual(captureCallGraph(target).awaitedBy.map(({ future }) => future.getName()), Object.keys(ways))
  }
})

const lengths = []
for (const depth of [5, 10, 20]) {
  await inVirtualTime(function* () {
    const leaf = createTask(sleep(9))
    let layer = [leaf]
    for (let at = 0; at < depth; at++) {
      const below = layer
      layer = [0, 1].map(() => createTask((function* () { yield* gather(below) })()))
    }
    yield* sleep(0.1)
    printCallGraph(leaf, text => lengths.push(text.split('\n').length))
  })
}
const [five, ten, twenty] = lengths
assert.ok(ten < 3 * five && twenty < 3 * ten, `lines: ${lengths}`)
