// The ESLint rules of loopscope/eslint, run by ESLint itself with types over the files in test/eslint/, with marks on the lines
// that must be reported.
import { readFileSync } from 'node:fs'
import { ESLint, type Linter } from 'eslint'
import t from 'tap'
import tseslint from 'typescript-eslint'
import loopscope from '../src/eslint/index.ts'

const root = new URL('..', import.meta.url).pathname
const typed: Linter.Config = {
  files: ['**/*.ts'],
  languageOptions: {
    parser: tseslint.parser,
    parserOptions: { projectService: true, tsconfigRootDir: root },
  },
}

interface Report {
  line: number
  ids: string[]
  /** The line after each suggestion. */
  suggested: string[]
}

/** What each of the marked files gives, with types: TypeScript reads the tree once. */
const typedReports = new Map<string, Promise<Linter.LintMessage[]>>()
function lintTyped(path: string): Promise<Linter.LintMessage[]> {
  if (!typedReports.has(path)) typedReports.set(path, lint(path, typed, loopscope.configs.recommended))
  return typedReports.get(path)!
}

async function lint(path: string, ...configs: Linter.Config[]): Promise<Linter.LintMessage[]> {
  const eslint = new ESLint({ cwd: root, overrideConfigFile: true, overrideConfig: configs, ignore: false })
  const results = await eslint.lintFiles([path])
  return results.flatMap((result) => result.messages)
}

function reports(messages: Linter.LintMessage[], code: string): Report[] {
  const byLine = new Map<number, Report>()
  for (const { line, messageId = 'none', fix, suggestions = [] } of messages) {
    const report = byLine.get(line) ?? { line, ids: [], suggested: [] }
    byLine.set(line, report)
    report.ids.push(messageId)
    for (const { range: [start, end], text } of [...fix === undefined ? [] : [fix], ...suggestions.map((suggestion) => suggestion.fix)]) {
      const lineAfter = (code.slice(0, start) + text + code.slice(end)).split('\n')[line - 1] ?? ''
      report.suggested.push(lineAfter.replace(/ *\/\/ reports .*/, '').trim())
    }
  }
  return [...byLine.values()].sort((a, b) => a.line - b.line)
}

/** The reports that the marks `// reports id, id -> line` in a file ask for. */
function wanted(code: string): Report[] {
  return code.split('\n').flatMap((text, index) => {
    const mark = /\/\/ reports ([\w, ]+?)(?: -> (.*))?$/.exec(text)
    if (mark === null) return []
    return { line: index + 1, ids: mark[1]!.split(', '), suggested: mark[2] === undefined ? [] : [mark[2]] }
  })
}

for (const [file, rule] of [['reported', 'no-floating-coroutines'], ['misused', 'no-misused-coroutines'], ['swallowed', 'no-swallowed-cancellations'], ['blocking', 'no-blocking-calls']]) {
  t.test(`${rule} reports exactly what is marked in ${file}.ts, with the marked suggestion`, async (t) => {
    const code = readFileSync(`${root}test/eslint/${file}.ts`, 'utf8')
    const found = reports(await lintTyped(`test/eslint/${file}.ts`), code)
    const marked = wanted(code)
    t.ok(marked.length > 5)
    for (const report of marked) {
      // The suggestions for two reports in one line are two halves of a fix, and some change several lines: it is enough that there are some.
      const actual = found.find(({ line }) => line === report.line)
      if (actual !== undefined && (report.ids.length > 1 || report.suggested.length === 0)) actual.suggested = report.suggested = []
      t.same(actual, report, code.split('\n')[report.line - 1]!.trim())
    }
    const lines = new Set(marked.map(({ line }) => line))
    t.same(found.filter(({ line }) => !lines.has(line)), [], 'reports nothing on a line without a mark')
  })
}

t.test('the messages', async (t) => {

  await t.test('ignores what is awaited, started, passed on, voided or not a coroutine', async (t) => {
    const messages = await lintTyped('test/eslint/accepted.ts')
    t.same(messages.map(({ line, message }) => `${line}: ${message}`), [])
  })

  await t.test('names the call and what to write', async (t) => {
    const messages = await lintTyped('test/eslint/reported.ts')
    const text = (id: string): string => messages.find(({ messageId }) => messageId === id)?.message ?? ''
    t.match(text('dropped'), '`this.save(…)` only makes a coroutine')
    t.match(text('dropped'), '`yield* this.save(…)`')
    t.match(text('dropped'), '`createTask(this.save(…))`')
    t.match(text('droppedOutside'), '`yield* this.save(…)` in a coroutine, which this is not (write `function*`)')
    t.match(text('unused'), '`unread` is never read, so the coroutine that `sleep(…)` made never runs')
    t.match(text('yielded'), '`yield sleep(…)` does not await')
    t.match(text('awaited'), '`await sleep(…)` runs nothing: a coroutine is no promise')
    t.match(text('callback'), 'the coroutine that `queue.put(…)` made never runs')
    t.match(text('coroutineFunction'), '`createTask(work(…))`')
    for (const { message } of messages) t.notMatch(message, '{{')
  })

  await t.test('says what is missing if it has no types', async (t) => {
    const untyped: Linter.Config = { files: ['**/*.ts'], languageOptions: { parser: tseslint.parser } }
    await t.rejects(lint('test/eslint/accepted.ts', untyped, loopscope.configs.recommended), /decides by type.*projectService: true/s)
  })
})

t.test('the plugin', async (t) => {
  await t.test('recommends its rules as errors, and allows a coroutine to wait for nothing', async (t) => {
    const all = Object.keys(loopscope.rules!).map((name) => [`loopscope/${name}`, 'error'])
    t.same(loopscope.configs.recommended.rules, { ...Object.fromEntries(all) as object, 'require-yield': 'off' })
    t.equal(loopscope.configs.recommended.plugins?.['loopscope'], loopscope)
  })

  await t.test('imports nothing at run time, so that a project needs only ESLint and its parser', async (t) => {
    for (const file of ['index', ...Object.keys(loopscope.rules!), 'coroutine-types', 'positions']) {
      const code = readFileSync(`${root}src/eslint/${file}.ts`, 'utf8')
      const values = [...code.matchAll(/^(?:import|export)\s(?!type\s)[\w\s{},*]*from '([^']+)'/gm)].map((match) => match[1]!)
      t.same(values.filter((from) => !/^\.\/|^\.\.\/sync-functions/.test(from)), [], file)
    }
  })
})
