// It blocks its thread, when it is watched, and ends at once in the way that its argument says.
const WAYS = {
  inside: () => blockLast(300, () => process.exit(3)),
  after: () => blockLast(300),
  error: () => {
    blockLast(300)
    throw new Error('the last one')
  },
  signal: () => blockLast(120_000),
}

function blockLast(ms, then = () => {}) {
  for (const end = performance.now() + ms; performance.now() < end;);
  then()
}

const waiting = setInterval(() => {
  if (globalThis[Symbol.for('loopscope.observing')]?.url == null) return
  clearInterval(waiting)
  setTimeout(WAYS[process.argv[2]], 100)
}, 20)
