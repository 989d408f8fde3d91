// Watchers of one or several observers in a separate process, for cluster.mjs: how many messages reach them, and how old the
// first event of each write is when it reaches the first of them.
//   node watchers.mjs '[{ "port": …, "path": …, "count": …, "zero": … }]'
import { view } from '../lib/frames.mjs'

const groups = JSON.parse(process.argv[2])
const viewers = []
let delays = []
for (const { port, path, count, zero } of groups) {
  for (let n = 0; n < count; n += 50) {
    viewers.push(...(await Promise.all(Array.from({ length: Math.min(50, count - n) }, async (_, at) => {
      const viewer = await view(port, path)
      if (n + at === 0) {
        viewer.socket.on('data', (piece) => {
          const found = /"t":(\d+(?:\.\d+)?)/.exec(piece.latin1Slice(0, Math.min(400, piece.length)))
          if (found !== null) delays.push(Number(process.hrtime.bigint()) / 1e9 - zero - Number(found[1]))
        })
      }
      return viewer
    }))))
  }
}
const total = () => viewers.reduce((sum, { counter }) => sum + counter.frames, 0)
const quantile = (values, q) => values.sort((a, b) => a - b)[Math.max(0, Math.ceil(values.length * q) - 1)] ?? null
let began
process.on('message', (what) => {
  if (what === 'count') process.send?.({ frames: total() })
  else if (what === 'begin') {
    delays = []
    began = { messages: total(), at: performance.now() }
    process.send?.({ began: true })
  } else {
    process.send?.({ messages: total() - began.messages, seconds: (performance.now() - began.at) / 1000, p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) })
  }
})
process.on('disconnect', () => process.exit(0))
process.send?.({ ready: viewers.length })
