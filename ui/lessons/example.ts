// An example's sources, requested once.
import { useEffect, useState } from 'preact/hooks'
import type { Example } from '../api.ts'
import type { Session } from '../session.ts'

const known = new Map<number, Promise<Example>>()

function load(session: Session, number: number): Promise<Example> {
  let example = known.get(number)
  if (example === undefined) {
    example = session.api.example(number)
    known.set(number, example)
    example.catch(() => known.delete(number))
  }
  return example
}

/** Requests all of them now, because a blocked loop does not answer. */
export function loadExamples(session: Session): void {
  for (const { number } of session.examples.value ?? []) load(session, number).catch(() => {})
}

/** The example; null while it is loading, an error message if that fails. */
export function useExample(session: Session, number: number): Example | string | null {
  const [example, set] = useState<Example | string | null>(null)
  useEffect(() => {
    let current = true
    set(null)
    load(session, number).then((value) => {
      if (current) set(value)
    }, () => {
      if (current) set('The server does not answer. It may be stalled, or gone.')
    })
    return () => { current = false }
  }, [session, number])
  return example
}

/** Whether a file's path is that of an example's TypeScript. */
export function isExampleFile(path: string, number: number): boolean {
  return new RegExp(`(^|/)${number}-[\\w-]+\\.[tj]s$`).test(path)
}
