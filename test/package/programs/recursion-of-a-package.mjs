// A package recurses deeper than any stack that is kept, as parsers and renderers do: the stack of the stall contains the
// program's own function that called it.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { observe } from 'loopscope/observe'
import { eventually } from './support/eventually.mjs'

const root = mkdtempSync(join(tmpdir(), 'loopscope-depth-'))
process.on('exit', () => rmSync(root, { recursive: true }))
const folder = join(root, 'node_modules', 'descends')
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'index.mjs'), `export function descend(levels, until) {
  if (levels > 0) return descend(levels - 1, until) + 1
  let rounds = 0
  while (Date.now() < until) rounds++
  return rounds
}`)
const { descend } = await import(pathToFileURL(join(folder, 'index.mjs')).href)
const observing = await observe({ port: 0 })
function renderInvoice() {
  return descend(40, Date.now() + 2000)
}
setTimeout(renderInvoice, 500)
// On a busy machine the start is a stall, too.
const stall = await eventually(async () => (await (await fetch(`${observing.url}/stalls`)).json()).stalls.find(({ seconds }) => seconds > 1), found => found !== undefined)
assert.ok(stall.stack.some(frame => /renderInvoice/.test(frame.function)), JSON.stringify(stall.stack))
process.exit(0)
