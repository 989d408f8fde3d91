// A cache that fills the heap nearly to its limit, and is renewed: collecting takes longer than the program runs.
// node: --max-old-space-size=205
// asks: /wait /renew
// expects: kind=garbage-collection request=/renew
import { serve } from './serve.mjs'

const cache = new Map()
let next = 0

function renew(until) {
  while (performance.now() < until) {
    for (let times = 0; times < 1000; times++) {
      const id = next++ % 900_000
      cache.set(id, { id, name: `name ${next}`, parts: [id, { id }] })
    }
  }
  return cache.size
}

while (next < 900_000) renew(performance.now() + 20)
serve({ '/renew': () => renew(performance.now() + 1500) })
