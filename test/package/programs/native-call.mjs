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
await new Promise(resolve => setTimeout(resolve, 500))
const before = (await (await fetch(`${observing.url}/stalls`)).json()).stalls.length
setTimeout(function work() {
  const value = load()
  innocent(value)
}, 300)
const stalls = await eventually(async () => (await (await fetch(`${observing.url}/stalls`)).json()).stalls, all => all.length > before)
const { name, stack } = stalls[0]
assert.doesNotMatch(`${name} ${stack?.[0]?.function}`, /innocent/)
assert.match(`${stack?.[0]?.function} ${stack?.[1]?.function}`, /load|work|native/)
process.exit(0)
