// A native call blocks. What is called right after it has not blocked anything, and is not named.
// args: parse
// args: clone
// args: bigint
import assert from 'node:assert/strict'
import { observe } from 'loopscope/observe'
import { eventually } from './support/eventually.mjs'

const rows = Array.from({ length: 900_000 }, (_, id) => ({ id, title: `row ${id}` }))
const text = JSON.stringify(rows)
const loads = {
  parse: () => JSON.parse(text),
  clone: () => structuredClone(rows),
  bigint: () => 3n ** 2_000_000n * 7n ** 1_000_000n,
}
const native = loads[process.argv[2]]
const observing = await observe({ port: 0 })
function load() {
  return native()
}
function innocent(value) {
  return value === undefined
}
let took = Infinity
setTimeout(function work() {
  const began = performance.now()
  const value = load()
  took = (performance.now() - began) / 1000
  innocent(value)
}, 800)
// The first use of `fetch` blocks for a while too.
const isIt = ({ seconds }) => seconds > took / 2
const stalls = await eventually(async () => (await (await fetch(`${observing.url}/stalls`)).json()).stalls, all => all.some(isIt))
const { name, stack } = stalls.find(isIt)
assert.doesNotMatch(`${name} ${stack?.[0]?.function}`, /innocent/)
assert.match(`${stack?.[0]?.function} ${stack?.[1]?.function}`, /load|work|native/)
process.exit(0)
