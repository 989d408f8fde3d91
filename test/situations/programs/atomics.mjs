// A synchronous wait for another thread.
// asks: /wait /result
// expects: function=result line=here kind=system-call request=/result
import { serve } from './serve.mjs'

const cell = new Int32Array(new SharedArrayBuffer(4))

function result() {
  return Atomics.wait(cell, 0, 0, 800) // here
}

serve({ '/result': () => result() })
