// The five programs of the tutorial: what each is called, what to look for, and the files that it is made of. What the
// server shows of a program is read from the very file that it runs.
import { readFileSync } from 'node:fs'
import type { Coroutine } from '../src/index.ts'
import * as hello from './1-hello.ts'
import * as oneAfterTheOther from './2-one-after-the-other.ts'
import * as twoTasks from './3-two-tasks.ts'
import * as blocking from './4-blocking.ts'
import * as queue from './5-queue.ts'

export interface Example {
  number: number
  title: string
  lookFor: string
  /** The name that its files share. */
  file: string
  main: (parameters?: queue.Parameters) => Coroutine<void>
}

export const examples: readonly Example[] = [
  {
    number: 1, title: 'A coroutine that waits', file: '1-hello', main: () => hello.main(),
    lookFor: 'hello at 0 s and world at 1 s: one task, one wait',
  },
  {
    number: 2, title: 'Awaiting is one after the other', file: '2-one-after-the-other', main: () => oneAfterTheOther.main(),
    lookFor: 'hello at 2 s and world at 8 s: two waits that add up, in one task',
  },
  {
    number: 3, title: 'Two tasks at once', file: '3-two-tasks', main: () => twoTasks.main(),
    lookFor: 'hello and world, both at 3 s: two waits at the same time',
  },
  {
    number: 4, title: 'A blocking call stalls everything', file: '4-blocking', main: () => blocking.main(),
    lookFor: 'One at 0, 1 and 2 s, because blocking calls add up; Two from 3 s on; and no other request is served meanwhile',
  },
  {
    number: 5, title: 'Producers and consumers', file: '5-queue', main: (parameters) => queue.main(parameters),
    lookFor: 'it runs until you stop it with Ctrl-C; then none of its tasks is left',
  },
]

/** One of an example's files, as text. */
export function source(example: Example, kind: 'ts' | 'py' | 'md'): string {
  return readFileSync(new URL(`${example.file}.${kind}`, import.meta.url), 'utf8')
}
