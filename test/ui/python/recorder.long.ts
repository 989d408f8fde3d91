// The page's Python recorder, in CPython inside Node: it gives the events of our recorder, changes nothing of what a program
// prints, and says what is wrong with a program. test/python.long.ts does the same in a browser, with more programs.
import t from 'tap'
import type { LoopEvent } from '../../../src/events/schema.ts'
import type { Program } from '../../conformance/tree.ts'
import { generate } from '../../conformance/generate.ts'
import { loadInNode } from './in-node.ts'
import { failedAs, MISTAKES } from './mistakes.ts'
import { ourEvents, plain, pythonFor, split } from './twins.ts'

const SEED = 8
const PROGRAMS = 12
/** Takes as much memory as it gets, which is Node's here and the page's limit there. */
const ONLY_IN_THE_PAGE = new Set(['a huge allocation'])

void t.test("the page's Python recorder", async (t) => {
  const run = await loadInNode()
  const programs = Array.from({ length: PROGRAMS }, (_, at) => generate(SEED, at))
  const ours: LoopEvent[][] = []
  const ended: Program[] = []
  for (const program of programs) {
    const { events, ended: ends } = await ourEvents(program)
    if (!ends) continue
    ours.push(events)
    ended.push(program)
  }
  const code = pythonFor(ended)
  const recorded = run(code)

  await t.test('gives the same events as our own, program by program', (t) => {
    const theirs = split(recorded.events, 0)
    for (const [at, events] of ours.entries()) t.same(plain(theirs[at] ?? []), plain(events))
    t.equal(theirs.length, ended.length)
    t.end()
  })

  await t.test('changes nothing of what the programs print', (t) => {
    t.ok(recorded.lines.length > 100)
    t.same(run(code, false).lines, recorded.lines)
    t.end()
  })

  for (const [name, mistake] of Object.entries(MISTAKES)) {
    if (ONLY_IN_THE_PAGE.has(name)) continue
    await t.test(`says what is wrong, and where: ${name}`, (t) => {
      const { said, events, ending } = run(mistake.code)
      t.equal(failedAs(mistake, [...said, ...events, { type: 'ended', ...ending }]), '')
      t.end()
    })
  }
})
