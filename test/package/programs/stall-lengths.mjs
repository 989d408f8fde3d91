// A program without a loop of loopscope blocks: each stall is reported once, with its length.
import assert from 'node:assert/strict'
import { observe } from 'loopscope/observe'

const LENGTHS = [90, 150, 250, 400]
const { url } = await observe({ port: 0 })
const pause = () => new Promise(resolve => setTimeout(resolve, 800))
// A busy machine has stalls of its own, without a processor.
const ask = async () => (await (await fetch(`${url}/stalls`)).json()).stalls.filter(({ kind }) => kind !== 'starved').map(({ seconds }) => seconds * 1000).reverse()
function block(ms) {
  const began = performance.now()
  while (performance.now() < began + ms) Math.sqrt(ms)
  return performance.now() - began
}
// The first use of `fetch` takes a while itself.
await ask()
const left = new Set(LENGTHS)
const seen = []
// Time that the kernel gives to other programs is not counted for this one: on a busy machine a length is tried again.
for (let round = 0; round < 10 && left.size > 0; round++) {
  for (const ms of left) {
    await pause()
    const before = (await ask()).length
    const length = block(ms)
    await pause()
    const told = (await ask()).slice(before)
    assert.ok(told.length <= 1, `blocked once for ${length}, told ${told}`)
    seen.push(`${length} as ${told}`)
    if (told.length === 1 && Math.abs(told[0] - length) <= 30) left.delete(ms)
  }
}
assert.equal(left.size, 0, `never right: ${[...left]}; told ${seen.join(', ')}`)
process.exit(0)
