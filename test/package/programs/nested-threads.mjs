// A sensitive function calls a coroutine, which calls a function of the pool, which calls a coroutine, which calls a sensitive
// function: that one runs on the thread of the outermost, which waits for it.
import assert from 'node:assert/strict'
import { closeThreads, run, syncToAsync } from 'loopscope'
import { outermost } from './workers/nested.mjs'

const [first, second] = await run(syncToAsync(outermost, { thread: 'sensitive' })())
assert.ok(first > 0)
assert.equal(second, first)
await closeThreads()
