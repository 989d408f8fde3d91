// How readme.long.ts reads and compares the README; and that the guide at GET / has the same commands.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { difference, promisesOf, stepsOf } from '../support/readme.ts'
import { build } from '../support/server.ts'

const root = join(import.meta.dirname, '../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const steps = stepsOf(readme)
t.test('the comparer', async (t) => {
  const wrong = (shown: string, came: string, shape = false): boolean => difference(shown.split('\n'), came.split('\n'), shape) !== null

  await t.test('finds a line that differs, is missing, is extra, or out of order', async (t) => {
    t.notOk(wrong('a\nb', 'a\nb'))
    for (const came of ['a\nc', 'a', 'a\nb\nc', 'b\na', 'a\n\nb', 'a b']) t.ok(wrong('a\nb', came), JSON.stringify(came))
  })

  await t.test('compares numbers exactly, unless only their shape is shown', async (t) => {
    t.ok(wrong('took 201.5', 'took 203.1'))
    t.notOk(wrong('took 201.5', 'took 203.1', true))
    t.notOk(wrong('took 201.5', 'took 203', true))
    for (const came of ['took long', 'took 203 ms', 'took -203', 'took 3', 'took 603', 'took']) t.ok(wrong('took 201.5', came, true), came)
    t.notOk(wrong('task 7 at 0', 'task 12 at 1.5', true))
    t.ok(wrong('task 7 at 0', 'task 12 at 1500', true))
  })

  await t.test('lets an ellipsis match anything, and nothing else', async (t) => {
    t.notOk(wrong('a\n…\nd', 'a\nb\nc\nd'))
    t.notOk(wrong('a\n…', 'a'))
    t.notOk(wrong('{"t":…,"lag":3}', '{"t":12.5,"lag":3}'))
    for (const came of ['b\nd', 'a\nb', 'a\nd\ne']) t.ok(wrong('a\n…\nd', came), JSON.stringify(came))
    t.ok(wrong('{"t":…,"lag":3}', '{"t":12.5,"lag":4}'))
  })

  await t.test('reads commands, outputs and promises', async (t) => {
    const page = '```sh meanwhile\nnpm start\n```\nsays\n```text shape\nup 1\n```\n| `curl x/1` | `a` after 2 s, `b` after 8 s |\n```sh\ncurl y\n```\n'
    const found = stepsOf(page)
    t.match(found, [
      { kind: 'sh', text: 'npm start', flag: 'meanwhile', expected: ['up 1'], shape: true, line: 2 },
      { kind: 'code', text: 'curl x/1', beside: '`a` after 2 s, `b` after 8 s' },
      { kind: 'sh', text: 'curl y', expected: null },
    ])
    t.equal(found.length, 3)
    t.same(promisesOf(found[1]!.beside), [{ text: 'a', seconds: 2 }, { text: 'b', seconds: 8 }])
  })
})

t.test('the guide at GET / and the README know the same commands', async (t) => {
  const app = await build(t)
  const guide = (await app.inject({ url: '/', headers: { host: 'localhost:8000' } })).body
  const inGuide = guide.split('\n').filter((line) => line.startsWith('  curl')).map((line) => line.replace(/ +#.*/, '').trim())
  const inReadme = steps.map(({ text }) => text).filter((text) => text.startsWith('curl') && text.includes('localhost:8000'))
  t.same([...new Set(inReadme)].filter((text) => text !== 'curl http://localhost:8000/').sort(), inGuide.sort())
})
