// Objects have no order of their own: a PriorityQueue says so, and what to pass.
import assert from 'node:assert/strict'
import { PriorityQueue, run } from 'loopscope'

await run((function* () {
  const puts = (...items) => () => {
    const queue = new PriorityQueue()
    for (const item of items) queue.putNowait(item)
  }
  assert.throws(puts({ due: 2 }, { due: 1 }), { name: 'TypeError', message: /compare/ })
  assert.throws(puts([1, { due: 2 }], [1, { due: 1 }]), { name: 'TypeError', message: /compare/ })
  assert.throws(puts(10, '9'), { name: 'TypeError', message: /compare/ })
  assert.throws(puts(1, null), { name: 'TypeError', message: /compare/ })

  const queue = new PriorityQueue(0, { compare: (a, b) => a.due - b.due })
  for (const due of [2, 3, 1]) queue.putNowait({ due })
  assert.deepEqual([1, 2, 3].map(() => queue.getNowait().due), [1, 2, 3])
})())
