// A program whose task is not awaited for as long as it works, run in the playground's thread: of the page, not of the server.

import { setAddress } from '../address.ts'

/** If await made the task run, its first line would come after `AWAITS`. */
export const AWAITS = 'main awaits the task'

export const notAwaited = `import { createTask, print, sleep, type Coroutine } from 'loopscope'

function* work(): Coroutine<void> {
  print('the task begins')
  yield* sleep(1)
  print('the task ends')
}

export function* main(): Coroutine<void> {
  const task = createTask(work())
  print('main has a task, and does not await it')
  yield* sleep(3)
  print('${AWAITS}')
  yield* task
  print('main goes on at once')
}
`

/** The lines that it prints, with their times in virtual seconds. */
export async function runNotAwaited(): Promise<{ text: string; t: number }[]> {
  const { runOnce } = await import('../playground/run-once.ts')
  return runOnce(notAwaited)
}

export async function openNotAwaited(): Promise<void> {
  const { pack } = await import('../playground/share.ts')
  setAddress({ view: 'playground', program: await pack({ code: notAwaited, clock: 'virtual', until: 60 }) }, true)
}
