// The conformance suite: our server passes all of it, and servers that are broken on purpose do not.
import t from 'tap'
import { runCommand } from '../support/command.ts'
import { BROKEN } from './conformance/broken.ts'
import { ALL_CASES, UNOBSERVABLE } from './conformance/cases.ts'
import { inProcess } from './conformance/in-process.ts'
import { readOptions } from './conformance/options.ts'
import { intoMarks, markdown, MARKS, text } from './conformance/report.ts'
import { judgeAll, type Verdict } from './conformance/suite.ts'
import { urlTarget } from './conformance/targets.ts'

const line = ({ id, title, outcome, expected, got, why }: Verdict): string => `${outcome}: ${id} ${title}${outcome === 'failed' ? `: expected ${expected}, got ${got}` : why === undefined ? '' : `: ${why}`}`

t.test('our server passes every case', async (t) => {
  const verdicts = await judgeAll(inProcess('ours'), ALL_CASES, UNOBSERVABLE)
  t.same(verdicts.filter(({ outcome }) => outcome !== 'passed' && outcome !== 'not observable').map(line), [])
  t.equal(verdicts.length, ALL_CASES.length + UNOBSERVABLE.length)
  const ids = new Set(verdicts.map(({ id }) => id))
  const required = [['C', 10], ['H', 14], ['W', 10], ['L', 5], ['E', 8]].flatMap(([letter, last]) => Array.from({ length: last as number }, (_, at) => `${letter}${at + 1}`))
  t.same([...required, 'SV'].filter((id) => !ids.has(id)), [], 'each requirement is looked at')
  t.match(text('ours', verdicts), `${ALL_CASES.length} passed, 0 failed, 0 not supported, ${UNOBSERVABLE.length} not observable`)
})

t.test('a broken server is found', async (t) => {
  // They mostly wait, and do so at the same time.
  const judged = await Promise.all(BROKEN.map(({ title, breaks, ...options }) => judgeAll(inProcess(title, options), ALL_CASES.filter(({ id }) => breaks.includes(id) || id === 'C1'), [])))
  for (const [at, { title, breaks }] of BROKEN.entries()) {
    await t.test(title, (t) => {
      const verdicts = judged[at]!
      const failed = new Set(verdicts.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id))
      t.same([...failed].sort(), [...breaks].sort(), verdicts.map(line).join('\n'))
      t.end()
    })
  }
})

t.test('a server that runs already is judged by what can be seen of it', async (t) => {
  const running = await inProcess('ours').start!({})
  t.teardown(() => running.stop())
  const { host, port } = running.address
  const verdicts = await judgeAll(urlTarget(`http://${host}:${port}/`, null), ALL_CASES.filter(({ id }) => ['H1', 'H2', 'L1', 'L4'].includes(id)), [])
  t.same(verdicts.filter(({ outcome }) => outcome === 'failed').map(line), [])
  t.same(verdicts.filter(({ id }) => id === 'H2' || id === 'L4').map(({ outcome }) => outcome), ['not supported', 'not supported', 'not supported', 'not supported', 'not supported'])
})

t.test('what is no server of the suite, and invalid options, end the command with one line', async (t) => {
  await t.rejects(judgeAll(urlTarget('http://127.0.0.1:1', null), ALL_CASES, []), { message: /does not serve the suite's application/ })
  for (const args of [['--server', 'none'], ['--url', 'ftp://a'], ['--url', 'x'], ['--server', 'ours', '--url', 'http://a'], ['--command', 'serve'], ['--only', 'H99'], ['--colour'], ['word']]) {
    t.throws(() => readOptions(args), args.join(' '))
  }
  t.match(readOptions([]).targets.map(({ name }) => name), [/^loopscope \d/])
  const { code, stderr } = await runCommand('asgi/conformance/main.ts', '--server', 'none')
  t.equal(code, 2)
  t.match(stderr, /^--server is one of ours, uvicorn, hypercorn and all, got 'none' \(usage: .*\)\n$/)
})

t.test('the table of verdicts', (t) => {
  const one: Verdict = { id: 'H1', title: 'a | b', level: 'must', section: 'S', outcome: 'failed', expected: 'x', got: '`y`\nz' }
  const page = intoMarks(`before\n${MARKS[0]}\nold\n${MARKS[1]}\nafter\n`, markdown([{ server: 'one', verdicts: [one] }]))
  t.match(page, /^before\n[^]*\| H1 \| must \| a \\\| b \| S \| \*\*failed\*\* \|[^]*\| one \| H1 \| a \\\| b \| `x` \| `'y' z` \|[^]*after\n$/)
  t.notMatch(page, 'old')
  t.throws(() => intoMarks('no marks', ''), { message: /needs the marks/ })
  t.end()
})
