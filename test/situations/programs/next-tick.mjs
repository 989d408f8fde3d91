// process.nextTick that calls itself.
// asks: /wait /drain
// expects: function=drain line=here kind=microtasks request=/drain
import { serve } from './serve.mjs'

function drain(until, done) { // here
  if (performance.now() < until) process.nextTick(drain, until, done) // here
  else done()
}

serve({ '/drain': () => new Promise((done) => drain(performance.now() + 1200, done)) })
