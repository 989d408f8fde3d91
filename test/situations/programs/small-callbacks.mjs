// Ten callbacks of 30 ms that are due at the same time: none is long, together they block the loop.
// asks: /wait
// expects: function=tick line=here kind=callbacks
import { serve } from './serve.mjs'

function tick() {
  const until = performance.now() + 30
  while (performance.now() < until); // here
}

setTimeout(() => { for (let at = 0; at < 10; at++) setTimeout(tick, 200) }, 1200)
serve({})
