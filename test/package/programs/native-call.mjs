// A native call blocks. What is called right after it has not blocked anything, and is not named.
// args: parse
// args: clone
// args: bigint
import assert from 'node:assert/strict'
import { observe } from 'loopscope/observe'

const rows = Array.from({ length: 900_000 }, (_, id) => ({ id, title: `row ${id}` }))
const text = JSON.stringify(rows)
const loads = {
  parse: () => JSON.parse(text),
  clone: () => structuredClone(rows),
  bigint: () => 3n ** 4_000_000n * 7n ** 2_000_000n,
}
const native = loads[process.argv[2]]
const observing = await observe({ port: 0 })
function load() {
  return native()
}
function innocent(value) {
  return value === undefined
}
const pause = () => new Promise(resolve => setTimeout(resolve, 800))
const ask = async () => (await (await fetch(`${observing.url}/stalls`)).json()).stalls
function work() {
  const began = performance.now()
  const value = load()
  const took = (performance.now() - began) / 1000
  innocent(value)
  return took
}
// The first use of `fetch` takes a while itself.
await ask()
let found
// On a busy machine the kernel may give most of the time to others, which is not reported as a stall, and the observer may come too late
// for a stack: then it is tried again.
for (let round = 0; round < 10 && found === undefined; round++) {
  await pause()
  const before = (await ask()).length
  const took = work()
  await pause()
  found = (await ask()).slice(0, -before || undefined).find(({ seconds, stack }) => seconds > took / 2 && stack !== undefined)
}
assert.ok(found, 'it is reported, with a stack')
const { name, stack } = found
assert.doesNotMatch(`${name} ${stack?.[0]?.function}`, /innocent/)
assert.match(`${stack?.[0]?.function} ${stack?.[1]?.function}`, /load|work|native/)
process.exit(0)
