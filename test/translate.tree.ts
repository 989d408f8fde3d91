// The translation of Python: the tutorial's programs, and each line of the table in docs/python.md.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadPython } from './support/python-programs.ts'

const ROOT = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const python = await loadPython()

/** The rows of the table below a heading, each with its cells; code without its quotes. */
function table(page: string, heading: string): string[][] {
  const [, section = ''] = page.split(`## ${heading}\n`)
  const rows = (section.split('\n## ')[0] as string).split('\n').filter((line) => line.startsWith('| '))
  return rows.slice(2).map((row) => row.slice(2, -2).split(' | ').map((cell) => cell.trim().replaceAll('<br>', '\n')))
}

const unquoted = (cell: string): string => cell.split('\n').map((line) => line.replace(/^(`` |`)|( ``|`)$/g, '')).join('\n')
const page = read('docs/python.md')

/** A statement in the midst of a program in which what it names exists. */
const AROUND = `import asyncio, collections, time
lock = asyncio.Lock()
queue = asyncio.Queue()
x, n, text, items, ages = 1.5, 3, 'word', [1, 2], {'ada': 36}
tasks: list[asyncio.Task[int]] = []
async def f(a: int = 0) -> int:
    return a
async def main():
`

function statement(source: string): { code: string; said: string[] } {
  const inside = source.split('\n').map((line) => `    ${line}\n`).join('')
  const { code, untranslated } = python.translate(`${AROUND}${inside}asyncio.run(main())\n`)
  const [, body = ''] = code.split(/export function\* main\(\): Coroutine<.*> \{\n/)
  return { code: body.replace(/\}\n$/, '').split('\n').map((line) => line.slice(2)).join('\n').trim(), said: untranslated.map(({ message }) => message) }
}

t.test('the table of what is translated', async (t) => {
  const rows = table(page, 'What is translated')
  t.ok(rows.length > 25, `${rows.length} rows`)
  for (const [from = '', to = ''] of rows) {
    const { code, said } = statement(unquoted(from))
    t.same({ code, said }, { code: unquoted(to), said: [] }, from)
  }
})

t.test('the table of what is not', async (t) => {
  const rows = table(page, 'What is not')
  t.ok(rows.length > 10, `${rows.length} rows`)
  for (const [from = '', message = ''] of rows) t.same(statement(unquoted(from)).said, [message], from)
})

t.test('the programs of the tutorial', async (t) => {
  const names = ['1-hello', '2-one-after-the-other', '3-two-tasks', '4-blocking']
  for (const name of names) {
    const { code, untranslated } = python.translate(read(`examples/${name}.py`))
    t.same(untranslated, [])
    // The examples in TypeScript run at other speeds too, by a sleep of their own.
    const own = read(`examples/${name}.ts`).replaceAll(/^import .*\n/gm, '').trim()
    t.equal(code.replaceAll(/^import .*\n/gm, '').trim(), own, name)
  }
  const { untranslated, code } = python.translate(read('examples/5-queue.py'))
  t.same(untranslated, [])
  t.match(code, 'yield* queue.put([name, letter])')
})

t.test('a line knows where it comes from', async (t) => {
  const { code, lines } = python.translate('import asyncio\n\n\nasync def main():\n    # a comment\n    print(1)  # behind\n\n    print(2)\n\n\nasyncio.run(main())\n')
  const texts = code.trimEnd().split('\n')
  t.same(texts.map((text, i) => [text.trim(), lines[i]]).filter(([text]) => text !== ''), [
    ["import { print, type Coroutine } from 'loopscope'", 1],
    ['export function* main(): Coroutine<void> {', 4],
    ['// a comment', 6], ['print(1) // behind', 6], ['print(2)', 8], ['}', 8],
  ])
})

t.test('a program that cannot be understood has a translation, too', async (t) => {
  const messages = (source: string): string[] => python.translate(source).untranslated.map(({ message }) => message)
  for (const kind of ['list', 'set', 'dict', 'tuple']) t.doesNotThrow(() => messages(`def f(x):\n    if isinstance(x, ${kind}):\n        return [i for i in x]\n`), kind)
  t.doesNotThrow(() => messages('class Node:\n    pass\n\n\nclass Node(Node):\n    pass\n\n\nprint(Node().value)\n'), 'a class that extends one of its own name')
})

t.test('a pattern that is not translated is reported at its place', async (t) => {
  const said = (head: string, pattern: string): [number, string][] => {
    const { untranslated } = python.translate(`class Plain:\n    pass\n\n\n${head}\nmatch value:\n    case 'known':\n        print(1)\n    case ${pattern}:\n        print(2)\n`)
    return untranslated.map(({ line, message }) => [line, message])
  }
  const list = 'value = [1, 2]'
  t.same(said(list, '[1, x] | [x, 2]'), [[9, 'a pattern with names that are in different places']])
  t.same(said(list, '[x, y] if any(x > z for z in [1])'), [[9, 'a guard with names of its own']])
  t.same(said('value = Plain()', 'Plain(1)'), [[9, 'a pattern with places, of a class that is no dataclass']])
  t.same(said('value = 1 if print() else 1.5', 'int()'), [[9, 'a test for int of what may also be another kind, which is the same in JavaScript']])
})

t.test('a tree has bounds', async (t) => {
  t.throws(() => python.translate(`x = ${'['.repeat(150)}${']'.repeat(150)}`), /TooLarge|too many nested/)
  t.throws(() => python.translate(`x = [${'1,'.repeat(60_000)}]`), /TooLarge/)
  t.throws(() => python.translate('async def main(:\n'), /SyntaxError/)
})
