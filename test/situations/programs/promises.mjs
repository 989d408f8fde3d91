// Promises that beget promises: each step is short, and the loop never comes round.
// asks: /wait /poll
// expects: function=poll line=here kind=microtasks request=/poll
import { serve } from './serve.mjs'

async function poll(until) {
  let count = 0
  while (performance.now() < until) { // here
    await null // here
    count++
  }
  return count
}

serve({ '/poll': () => poll(performance.now() + 1200) })
