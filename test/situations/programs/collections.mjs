// A large heap near its limit: collecting it takes longer than the program runs.
// node: --max-old-space-size=330
// asks: /wait /add
// expects: kind=garbage-collection request=/add
import { serve } from './serve.mjs'

const kept = new Map()
for (let id = 0; id < 900_000; id++) kept.set(id, { id, name: `name ${id}`, parts: [id, { id }] })

function add(until) {
  let last
  while (performance.now() < until) last = Array.from({ length: 20_000 }, (_, at) => ({ at, text: `${at}` }))
  return last.length
}

serve({ '/add': () => add(performance.now() + 1500) })
