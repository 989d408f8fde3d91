// docs/mistakes.md: TypeScript, the lint rules, the run time and debug mode say about each program what the page says.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import * as loopscope from '../src/index.ts'
import { byLint, byNode, byTypeScript, type Found } from './mistakes/finders.ts'
import { programOf, readPage, withTables } from './mistakes/page.ts'

const root = new URL('..', import.meta.url).pathname
const path = `${root}docs/mistakes.md`
const markdown = readFileSync(path, 'utf8')
const page = readPage(markdown)
const names = Object.keys(loopscope)
const sources = page.mistakes.map((mistake) => programOf(page, mistake, names, '../../src/index.ts'))

const folder = t.testdir(Object.fromEntries(sources.map((source, at) => [`${at}.ts`, source.replaceAll('../../src/', `${root}src/`)])))
const paths = sources.map((_source, at) => join(folder, `${at}.ts`))
const { program, messages } = byTypeScript(sources)
const linted = byLint(sources, program)
const plain = await byNode(paths, false)
const debugged = await byNode(paths, true)

/** Without places and times, which differ from run to run. */
function steady(text: string): string {
  return text.replace(/ \(called at [^)]*\)/g, '').replace(/ created at [^>\s]+(?=[>\s])/g, '')
    .replace(/ at [\w./-]*\d+\.ts:\d+(?::\d+)?/g, ' at program.ts').replace(/\d\.\d{3} seconds/g, '… seconds')
}

/** What does not compile is not run, and a generator is disposable since Node 24. */
const notSaid = /does not compile|Object not disposable/

const messagesOf = ({ thrown, reported }: Found): string[] =>
  [...new Set([...thrown === null || notSaid.test(thrown) ? [] : [thrown], ...reported].map(steady))]

/** Debug mode adds places to a message, and itself. */
const isSame = (one: string, other: string): boolean => one.slice(0, 30) === other.slice(0, 30)

function tableOf(at: number): string[] {
  const atRun = messagesOf(plain[at]!)
  const rows: [string, string][] = [
    ...messages[at] == null ? [] : [['TypeScript', messages[at]] as [string, string]],
    ...[...new Set(linted[at])].map((message): [string, string] => ['lint', message.replace('loopscope/', '')]),
    ...atRun.map((message): [string, string] => ['run time', message]),
    ...messagesOf(debugged[at]!).filter((message) => !atRun.some((other) => isSame(message, other))).map((message): [string, string] => ['debug mode', message]),
  ]
  const cell = (text: string): string => `\`\` ${text.replaceAll('|', '\\|')} \`\``
  return ['| found by | message |', '|---|---|', ...rows.map(([by, message]) => `| ${by} | ${cell(message)} |`)]
}

const tables = page.mistakes.map((_mistake, at) => tableOf(at))
if (process.env['UPDATE'] === '1') writeFileSync(path, withTables(markdown, tables))

t.test('every mistake is found by what the page says, with that message', async (t) => {
  t.ok(page.mistakes.length >= 60, 'there are sixty')
  for (const [at, { title, table }] of page.mistakes.entries()) {
    t.ok(tables[at]!.length > 2, `${title} is found`)
    t.same(tables[at], process.env['UPDATE'] === '1' ? tables[at] : table, title)
  }
})
