// The full text of an error: its stack, the errors of a group and the causes, indented under the error they belong to.
import { describe } from './describe.ts'

/** The most errors written in one report, of groups and causes together; the rest are only counted. */
const MOST_ERRORS = 50

interface Writing {
  readonly seen: Set<unknown>
  left: number
}

/** The text of a report about `error`, which may be any thrown value. */
export function errorText(error: unknown): string {
  return [...lines(error, { seen: new Set(), left: MOST_ERRORS })].join('\n')
}

function* lines(error: unknown, writing: Writing): Generator<string> {
  writing.left--
  if (!(error instanceof Error)) {
    yield describe(error)
    return
  }
  writing.seen.add(error)
  yield* stackOf(error).split('\n')
  if (error instanceof AggregateError) {
    const errors = error.errors as unknown[]
    for (const [at, inner] of errors.entries()) {
      if (writing.left <= 0) {
        yield `  … and ${errors.length - at} more of ${errors.length} errors`
        break
      }
      yield* labelled(`${at + 1} of ${errors.length}`, inner, writing)
    }
  }
  if ('cause' in error && error.cause !== undefined) {
    if (writing.left > 0) yield* labelled('caused by', error.cause, writing)
    else yield '  … and what caused it'
  }
}

function* labelled(label: string, error: unknown, writing: Writing): Generator<string> {
  if (writing.seen.has(error)) {
    yield `  ${label}: ${describe(error)} (see above)`
    return
  }
  let first = true
  for (const line of lines(error, writing)) {
    yield first ? `  ${label}: ${line}` : `  ${line}`
    first = false
  }
}

/** The stack with the error's name and message, which some engines leave out. */
function stackOf(error: Error): string {
  const { stack } = error
  if (typeof stack !== 'string' || stack === '') return String(error)
  return stack.includes(error.message) ? stack : `${String(error)}\n${stack}`
}
