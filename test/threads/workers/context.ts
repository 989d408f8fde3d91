// Context variables that are sent with calls because this module exports them.
import { asyncToSync, ContextVar, sleep, type Coroutine } from '../../../src/index.ts'

export const user = new ContextVar<string>('user', { default: 'nobody' })
export const visits = new ContextVar<number>('visits', { default: 0 })
export const odd = new ContextVar<unknown>('odd', { default: null })

export function whoAmI(): string {
  return user.get()
}

export function rename(name: string): string {
  const before = user.get()
  user.set(name)
  visits.set(visits.get() + 1)
  return before
}

export function renameAndFail(name: string): never {
  user.set(name)
  throw new Error('after setting')
}

export function* renameOnMain(name: string): Coroutine<string> {
  const before = user.get()
  yield* sleep(0)
  user.set(name)
  return before
}

export function renameThroughMain(name: string): [before: string, onMain: string, after: string] {
  const before = user.get()
  user.set(`${before} in the worker`)
  const onMain = asyncToSync(renameOnMain)(name)
  return [before, onMain, user.get()]
}
