// A server to measure, as a program: answers after 2 ms. With --stall it blocks its loop for 1 s in every 5, for the first
// time 1.5 s after the first request. It records every time in which its loop did not run, whatever the cause.
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:http'
import { performance } from 'node:perf_hooks'

const now = (): number => performance.timeOrigin + performance.now()
const nothing = new Int32Array(new SharedArrayBuffer(4))
const stalls: { from: number; to: number }[] = []

let turned = now()
setInterval(() => {
  const at = now()
  if (at - turned > 20) stalls.push({ from: turned, to: at })
  turned = at
}, 2)

function stall(): void {
  setTimeout(stall, 5000)
  Atomics.wait(nothing, 0, 0, 1000)
}

let begun = false
const server = createServer((request, response) => {
  if (!begun && process.argv.includes('--stall')) setTimeout(stall, 1500)
  begun = true
  const status = Number(/status=(\d+)/.exec(request.url ?? '')?.[1] ?? 200)
  if (/never/.test(request.url ?? '')) return
  setTimeout(() => {
    response.statusCode = status
    response.end('ok')
  }, 2)
}).listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))

process.on('message', () => process.send!(stalls))
process.on('disconnect', () => process.exit())
