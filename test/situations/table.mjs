// What the observer reports of each situation, as a table: `node --import ./tools/ts.mjs test/situations/table.mjs [name …]`;
// with --markdown it goes into docs/freezes.md.
import { writeMarkdown } from '../../bench/lib/report.mjs'
import { PARTS } from './judgement.ts'
import { prepare, run, situations } from './run.ts'

const args = process.argv.slice(2)
const wanted = args.filter((arg) => !arg.startsWith('--'))
const found = await prepare()
if (!('folder' in found)) throw new Error(`the programs need packages: ${found.missing}`)

const mark = (right) => right === null ? '' : right ? '✓' : 'missed'
const rows = ['| what freezes | named while it lasts | function | line | kind | request | nothing else named |', '| --- | --- | --- | --- | --- | --- | --- |']
const right = {}
const all = {}

function row(verdict) {
  const { situation, afterMs, stall } = verdict
  const cells = PARTS.map((part) => {
    const value = verdict[part]
    if (value !== null) all[part] = (all[part] ?? 0) + 1
    if (value === true) right[part] = (right[part] ?? 0) + 1
    if (part === 'whileItLasted' && afterMs !== null) return `✓ after ${afterMs} ms`
    return part === 'kind' && value !== null ? `${mark(value)} ${stall?.kind ?? ''}`.trim() : mark(value)
  })
  return `| ${[situation.title, ...cells].join(' | ')} |`
}

for (const situation of situations()) {
  if (wanted.length > 0 && !wanted.includes(situation.name)) continue
  const verdict = await run(situation, found.folder)
  const { stall } = verdict
  rows.push(row(verdict))
  console.log(rows.at(-1))
  if (args.includes('--verbose')) console.log(`   ${situation.name}: ${stall === null ? 'no stall' : `${stall.name} ${stall.seconds} s; ${stall.stack?.map((frame) => `${frame.function} ${frame.file.split('/').at(-1)}:${frame.line}`).join(', ') ?? 'no stack'}`} ${verdict.errors}`)
}
rows.push(`| of ${situations().length}, right | ${PARTS.map((part) => `${right[part] ?? 0} of ${all[part] ?? 0}`).join(' | ')} |`)
console.log(rows.at(-1))
if (args.includes('--markdown')) {
  writeMarkdown('docs/freezes.md', `Measured on Node ${process.versions.node}, ${process.platform}.\n\n${rows.join('\n')}`, ['<!-- measured: test/situations/table.mjs --markdown -->', '<!-- end of measured: freezes -->'])
}
