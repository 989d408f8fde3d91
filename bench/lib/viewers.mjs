// Many viewers of an event stream in a separate process. node viewers.mjs PORT COUNT SECONDS
import { view } from './frames.mjs'

const [port, count, seconds] = process.argv.slice(2).map(Number)
const viewers = []
for (let n = 0; n < count; n += 50) {
  viewers.push(...(await Promise.all(Array.from({ length: Math.min(50, count - n) }, () => view(port)))))
}
const total = () => viewers.reduce((sum, { counter }) => sum + counter.frames, 0)
process.send?.({ ready: viewers.length })
await new Promise((resolve) => setTimeout(resolve, 1000))
const [before, cpu, from] = [total(), process.cpuUsage(), performance.now()]
await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
const elapsed = (performance.now() - from) / 1000
const { user, system } = process.cpuUsage(cpu)
const each = viewers.map(({ counter }) => counter.frames)
process.send?.({ messages: total() - before, seconds: elapsed, cpu: (user + system) / 1e6, least: Math.min(...each), most: Math.max(...each) })
for (const { socket } of viewers) socket.destroy()
process.disconnect()
