// Programs as people write them, in Python: each is translated, type checks as in the playground, and prints the same lines at
// the same virtual times as on CPython 3.14. Those that need threads or sockets say so at the line instead.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { check, loadPython, runTranslated } from './support/python-programs.ts'

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
