// Errors of the program as the page shows them: their text, and their stack in lines of the source. The program's frames
// have the names of its modules; all others belong to the runtime or the browser.
import type { Failure, Place } from '../messages.ts'
import type { SourceMap } from '../source-map.ts'

/** `at f (program.ts:1:2)`, `at program.ts:1:2`, `f@program.ts:1:2`. */
const FRAME = /^\s*(?:at )?(?:(?:async )?(.*?)\s?[(@])?([\w-]+\.ts):(\d+):(\d+)\)?$/
const MOST_FRAMES = 30

export class Sources {
  readonly #maps: ReadonlyMap<string, SourceMap>

  constructor(maps: ReadonlyMap<string, SourceMap>) {
    this.#maps = maps
  }

  /** A place in the running code, as a place in the source. */
  place<P extends Place>(place: P): P {
    const found = this.#maps.get(place.file)?.sourceOf(place)
    return { ...place, ...found, function: nameOf(place.function) }
  }

  /** The program's frames of a stack, newest first. */
  stack(stack: string | undefined): Place[] {
    const places: Place[] = []
    for (const line of (stack ?? '').split('\n')) {
      const [, name, file, row, column] = FRAME.exec(line) ?? []
      if (file === undefined || !this.#maps.has(file)) continue
      places.push(this.place({ function: name ?? '', file, line: Number(row), column: Number(column) }))
      if (places.length === MOST_FRAMES) break
    }
    return places
  }

  /** The text of `error`, after the prefix `before`, and its stack. */
  failure(error: unknown, before = ''): Failure {
    if (!(error instanceof Error)) return { text: `${before}${describe(error)}`, stack: [] }
    const text = error.name === 'RuntimeError' ? this.lines(String(error)) : String(error)
    return { text: `${before}${text}`, stack: this.stack(error.stack) }
  }

  /** A message of the runtime, with lines such as `created at program.ts:3` moved from the running code to the source. */
  lines(text: string): string {
    return text.replace(/\b(at|from) ([\w-]+\.ts):(\d+)/g, (whole, word: string, file: string, line: string) => {
      const found = this.#maps.get(file)?.sourceOf({ line: Number(line), column: Infinity })
      return found == null ? whole : `${word} ${file}:${found.line}`
    })
  }
}

function describe(value: unknown): string {
  try {
    return String(value)
  } catch {
    return 'something that cannot be shown'
  }
}

/** For `main` in the source, engines print `Generator.next`, `Object.main` or `outer/main<`. */
function nameOf(name: string): string {
  const plain = name.replace(/^new | \[as .*\]$|[/<]+$/g, '')
  return /[\w$#]+$/.exec(plain)?.[0] ?? plain.replace(/^(?:\w+\.)*/, '')
}
