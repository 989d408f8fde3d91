// Shows a mismatch: the program in both languages, both traces, and how to repeat it.
import { difference } from './compare.ts'
import type { Trace } from './oracle.ts'
import { toPython } from './python.ts'
import type { Program } from './tree.ts'
import { toTypeScript } from './typescript.ts'

function columns(left: string[], right: string[], mark: (line: number) => string): string {
  const width = Math.max(0, ...left.map((line) => line.length))
  const lines = Array.from({ length: Math.max(left.length, right.length) }, (_, i) => `${mark(i)}${(left[i] ?? '').padEnd(width)} | ${right[i] ?? ''}`.trimEnd())
  return lines.join('\n')
}

export interface Shown {
  seed: number
  index: number
  program: Program
  ours: Trace
  theirs: Trace
}

export function report({ seed, index, program, ours, theirs }: Shown): string {
  const at = difference(ours, theirs)
  return [
    `Program ${index} of seed ${seed} runs differently. \`at(label)\` logs that something began, \`log(label, value)\` that it ended.`,
    '', 'TypeScript | Python', '',
    columns(toTypeScript(program).trimEnd().split('\n'), toPython(program).trimEnd().split('\n'), () => ''),
    '', 'seconds, task (!its cancel requests), what: loopscope | CPython', '',
    columns(ours.lines, theirs.lines, (line) => line === at ? '> ' : '  '),
    ...(ours.ended && theirs.ended ? [] : [`loopscope ${ours.ended ? 'ended' : 'was given up'}, CPython ${theirs.ended ? 'ended' : 'was given up'}`]),
    '', `To get it again: npm run conformance -- --seed ${seed} --start ${index} --programs 1`,
  ].join('\n')
}
