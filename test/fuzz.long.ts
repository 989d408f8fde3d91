// The fuzzer: what it knows of a right answer, its command, and what it finds: nothing in the server as it is, and each fault
// that is put back. `npm run fuzz:http -- --tries 100000` goes further.
import { join } from 'node:path'
import t from 'tap'
import { Answers } from './fuzz/answers.ts'
import { BREAKS, breakServer } from './fuzz/breaks.ts'
import { readOptions } from './fuzz/options.ts'
import { escape, report } from './fuzz/report.ts'
import { run } from './fuzz/run.ts'
import { Subject } from './fuzz/subject.ts'
import { KINDS, makeTry } from './fuzz/tries.ts'
import { runCommand } from './support/command.ts'

const SEED = 13
const TRIES = 1500
/** Every fault must be found within this many tries of that seed; the search ends at the first finding that shows it. */
const MOST_TO_BREAK = 4000
const MOST_FINDINGS = 20

t.setTimeout(600_000)

t.test('a wrong answer', async (t) => {
  const problem = (text: string, methods = ['GET', 'GET']): string | null => {
    const answers = new Answers(methods)
    // Byte by byte, like the slowest connection.
    for (const byte of Buffer.from(text, 'latin1')) answers.push(Buffer.from([byte]))
    return answers.problem ?? answers.close()
  }
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  t.equal(problem(ok + ok), null)
  t.equal(problem('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n' + ok), null)
  t.equal(problem('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n' + ok, ['HEAD', 'GET']), null)
  t.match(problem('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nok'), /cut off/)
  t.match(problem('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokHTTP'), /chunk/)
  t.match(problem(`HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n${ok}`), /second status line/)
  t.match(problem(`HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n${ok}`), /more came/)
  t.match(problem('HTTP/1.1 001 Odd\r\n\r\n'), /no status line/)
  t.match(problem(`${ok}noise`), /not the start/)
  t.match(problem('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n'), /content-length: 2, transfer-encoding/)
})

t.test('the command', async (t) => {
  t.same(readOptions(['--tries', '5', '--seed', '3']), { tries: 5, seed: 3, only: null, most: 10, root: undefined })
  t.throws(() => readOptions(['--only=-1']), { message: "--only must be a whole number from 0 to 2147483647, got '-1'" })
  const refused = await runCommand('fuzz/main.ts', '--tries', 'many')
  t.match(refused, { code: 2, stdout: '', stderr: /^--tries must be a whole number from 1 to 2147483647, got 'many' \(usage: [^\n]*\)\n$/ })
  const ran = await runCommand('fuzz/main.ts', '--tries', '20', '--seed', '5')
  t.match(ran, { code: 0, stdout: /^\n20 tries of seed 5 \(.*\); answers: .*; 0 findings, \d+ tries a second\n$/ })
})

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
