// The fuzzer against the whole server: it finds nothing in the server as it is, and finds each fault that is put back. `npm
// run fuzz:http -- --tries 100000` goes further.
import { join } from 'node:path'
import t from 'tap'
import { BREAKS, breakServer } from './fuzz/breaks.ts'
import { escape, report } from './fuzz/report.ts'
import { run } from './fuzz/run.ts'
import { Subject } from './fuzz/subject.ts'
import { KINDS, makeTry } from './fuzz/tries.ts'

const SEED = 13
const TRIES = 1500
/** Every fault must be found within this many tries of that seed; the search ends at the first finding that shows it. */
const MOST_TO_BREAK = 4000
const MOST_FINDINGS = 20

t.setTimeout(600_000)

t.test('hostile bytes at both ports', async (t) => {
  const subject = await Subject.start(t)
  const { findings, kinds, statuses, messages } = await run(subject, { seed: SEED, first: 0, tries: TRIES, most: MOST_FINDINGS })
  t.same(findings.map((finding) => report(SEED, finding)), [], 'nothing is found')
  t.same([...kinds.keys()].sort(), KINDS.map(({ name }) => name).sort(), 'each kind was tried')
  // The tries reach handlers, streams and refusals.
  for (const status of [101, 200, 400, 403, 404, 405]) t.ok((statuses.get(status) ?? 0) >= 10, `${statuses.get(status)} answers of ${status}`)
  t.ok(messages > 0, `${messages} messages`)
  t.equal(makeTry(SEED, 7, subject.surface).pieces.map(escape).join(), makeTry(SEED, 7, subject.surface).pieces.map(escape).join(), 'a number is a try')
  t.same(await subject.stop(), [], 'a signal ends it')
})

t.test('faults that are put back on purpose', async (t) => {
  for (const broken of BREAKS) {
    await t.test(`are found: ${broken.title}`, async (t) => {
      const subject = await Subject.start(t, await breakServer(broken, join(t.testdir(), 'copy')))
      const shows = (expected: string, came: string): boolean => broken.found.test(`${expected}\n${came}`)
      const { findings } = await run(subject, { seed: SEED, first: 0, tries: MOST_TO_BREAK, most: MOST_FINDINGS, enough: ({ expected, came }) => shows(expected, came) })
      t.ok(findings.some(({ expected, came }) => shows(expected, came)), findings.map((finding) => report(SEED, finding)).join('\n').slice(0, 2000))
    })
  }
})
