// A program whose task is not awaited for as long as it works, in both languages, run in the playground's thread: of the page,
// not of the server.
import { setAddress } from '../address.ts'
import type { Language } from '../language.ts'

/** If await made the task run, its first line would come after `AWAITS`. */
export const AWAITS = 'main awaits the task'

export const notAwaited: Readonly<Record<Language, string>> = {
  typescript: `import { createTask, print, sleep, type Coroutine } from 'loopscope'

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
`,
  python: `import asyncio


async def work():
    print('the task begins')
    await asyncio.sleep(1)
    print('the task ends')


async def main():
    task = asyncio.create_task(work())
    print('main has a task, and does not await it')
    await asyncio.sleep(3)
    print('${AWAITS}')
    await task
    print('main goes on at once')


asyncio.run(main())
`,
}

/** The lines that it prints, with their times in virtual seconds. */
export async function runNotAwaited(language: Language): Promise<{ text: string; t: number }[]> {
  const { runOnce } = await import('../playground/run-once.ts')
  const { lines, zero } = await runOnce(language, notAwaited[language])
  return lines.map(({ text, t }) => ({ text, t: t - zero }))
}

export async function openNotAwaited(language: Language): Promise<void> {
  const { pack } = await import('../playground/share.ts')
  setAddress({ view: 'playground', program: await pack({ language, code: notAwaited[language], clock: 'virtual', until: 60 }) }, true)
}
