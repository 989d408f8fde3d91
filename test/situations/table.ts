// The observer's reports of each situation, as a table: `node --import ./tools/ts.mjs test/situations/table.ts [name …]`.
import { prepare, run, situations, type Verdict } from './run.ts'

const wanted = process.argv.slice(2)
const found = await prepare()
if (!('folder' in found)) throw new Error(`the programs need packages: ${found.missing}`)

const mark = (right: boolean | null): string => right === null ? '–' : right ? '✓' : '✗'
console.log('| situation | while it lasted | function | line | kind | request | nobody else |\n| --- | --- | --- | --- | --- | --- | --- |')
for (const situation of situations()) {
  if (wanted.length > 0 && !wanted.includes(situation.name)) continue
  const verdict: Verdict = await run(situation, found.folder)
  const { afterMs, stall } = verdict
  console.log(`| ${situation.title} | ${mark(verdict.whileItLasted)}${afterMs === null ? '' : ` ${afterMs} ms`} | ${[verdict.function, verdict.line, verdict.kind, verdict.request, verdict.noInnocent].map(mark).join(' | ')} |`)
  if (process.env['VERBOSE'] === '1') console.log(`   ${situation.name}: ${stall === null ? 'no stall' : `${stall.name} ${stall.kind ?? ''} ${stall.seconds} s; ${stall.stack?.slice(0, 3).map((frame) => `${frame.function} ${frame.file.split('/').at(-1)}:${frame.line}`).join(', ') ?? 'no stack'}`} ${verdict.errors}`)
}
