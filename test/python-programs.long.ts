// Programs as people write them, in Python: each is translated, type checks as in the playground, and prints the same lines at
// the same virtual times as on CPython 3.14. Those that need threads or sockets say so at the line instead. And random programs of
// the conformance suite, as far as what is in them is translated.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { generate } from './conformance/generate.ts'
import { toPython } from './conformance/python.ts'
import { check, loadPython, runTranslated, type Ran } from './support/python-programs.ts'

const FOLDER = join(import.meta.dirname, 'python-programs')
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.py'))
/** What cannot be translated in a program whose name says so: the line, and a part of the message. */
const SAID: Record<string, [line: number, message: string][]> = {
  'sockets_are_said.py': [[5, 'asyncio.open_connection is not translated']],
  'threads_are_said.py': [[12, 'asyncio.to_thread is not translated'], [14, '.run_in_executor(…) is not translated']],
}

const python = await loadPython()

t.ok(files.length >= 50, `${files.length} programs`)
for (const file of files) {
  void t.test(file, async (t) => {
    const source = readFileSync(join(FOLDER, file), 'utf8')
    const { code, untranslated, lines } = python.translate(source)
    const said = untranslated.map(({ line, message }) => [line, message])
    t.same(said, SAID[file] ?? [])
    t.equal(lines.length, code.trimEnd().split('\n').length, 'each line comes from somewhere')
    if (said.length > 0) return
    const { errors, modules } = check(code)
    t.same(errors.map(({ line, message }) => `${line}: ${message}`), [], 'type checks')
    const theirs = python.run(source)
    t.ok(theirs.lines.length > 0)
    t.same(await runTranslated(modules), theirs)
  })
}

const SEED = 8
const RANDOM = 300
/** Programs that are translated completely and end by themselves; fewer would prove little. */
const ENOUGH = 40

/** What random programs call: each logs its place, and values are left out, which print differently. */
const HELPERS = {
  '': `import asyncio
import contextvars


class Boom(Exception):
    pass


def say(label: str):
    print(f'{asyncio.get_running_loop().time():.6f} {label}')


def start():
    return asyncio.get_running_loop(), asyncio.current_task()


def at(label: str):
    say(f'{label} ...')
    return label


def log(label: str, value):
    say(label)


def look(label: str, value):
    say(f'{label} ?')
    return value


def since(when):
    return None if when is None else when


`,
  plain: 'def plain(name: str):\n    return name\n\n\n',
  names: 'def names(found):\n    return [task.get_name() for task in found]\n\n\n',
  twice: 'def twice(value):\n    return [value, value]\n\n\n',
}

/** The texts of errors are the runtime's own: only their classes are compared. */
const withoutText = ({ lines, ending }: Ran): Ran => ({ lines, ending: ending.replace(/:.*/s, '') })

void t.test(`${RANDOM} random programs`, async (t) => {
  let compared = 0
  for (let number = 0; number < RANDOM; number++) {
    const body = toPython(generate(SEED, number))
    const source = `${Object.entries(HELPERS).filter(([name]) => body.includes(`${name}(`)).map(([, text]) => text).join('')}${body}\n\nasyncio.run(main())\n`
    const { code, untranslated } = python.translate(source)
    if (untranslated.length > 0) continue
    const theirs = python.run(source)
    // A program that waits for nothing that could come.
    if (theirs.ending === 'GivenUp') continue
    compared++
    t.same(withoutText(await runTranslated(check(code).modules)), withoutText(theirs), `number ${number}`)
  }
  t.ok(compared >= ENOUGH, `${compared} programs were compared`)
})
