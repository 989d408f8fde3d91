// Programs that freeze in the ways that people report, each under an observer that it knows nothing of. docs/freezes.md has the
// same as a table.
import t from 'tap'
import { isRight, KNOWN_MISSES, PARTS } from './situations/judgement.ts'
import { prepare, run, situations } from './situations/run.ts'

const found = await prepare()

t.test('what the observer reports of a program that freezes', { skip: 'missing' in found && found.missing, timeout: 900_000 }, async (t) => {
  if (!('folder' in found)) return
  for (const situation of situations()) {
    const verdict = await run(situation, found.folder)
    const missed = PARTS.filter((part) => !isRight(verdict, part) && !(KNOWN_MISSES[situation.name] ?? []).includes(part))
    t.same(missed, [], `${situation.title} ${missed.length === 0 ? '' : JSON.stringify(verdict)}`)
  }
})
