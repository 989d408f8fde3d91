// A program without a loop of loopscope blocks four times: each stall is told, once, and as long as it was.
import assert from 'node:assert/strict'
import { observe } from 'loopscope/observe'
import { eventually } from './support/eventually.mjs'

const observing = await observe({ port: 0 })
const lengths = []
function block(ms) {
  const began = performance.now()
  while (performance.now() < began + ms) Math.sqrt(ms)
  lengths.push(performance.now() - began)
}
const pause = () => new Promise(resolve => setTimeout(resolve, 800))
for (const ms of [60, 120, 200, 400]) {
  await pause()
  block(ms)
}
const ask = async () => (await (await fetch(`${observing.url}/stalls`)).json()).stalls.map(({ seconds }) => seconds * 1000).reverse()
await pause()
const told = await eventually(ask, stalls => stalls.length >= lengths.length)
assert.equal(told.length, lengths.length, `told ${told}`)
for (const [at, length] of lengths.entries()) assert.ok(told[at] / length > 0.6 && told[at] / length < 1.6, `blocked for ${lengths}, told ${told}`)
process.exit(0)
