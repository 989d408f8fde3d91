// Reads the `mappings` of a source map (version 3): the source of a place in the generated code.

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Column in the generated line, line and column in the source; all count from 0. */
type Segment = readonly [column: number, sourceLine: number, sourceColumn: number]

export interface Position {
  /** Counts from 1. */
  line: number
  /** Counts from 1. */
  column: number
}

export class SourceMap {
  readonly #lines: Segment[][]

  constructor(mappings: string) {
    this.#lines = decode(mappings)
  }

  /** The source of a place in the generated code, lines and columns from 1; null if it has no source. */
  sourceOf({ line, column }: Position): Position | null {
    const segments = this.#lines[line - 1] ?? []
    let found: Segment | null = null
    for (const segment of segments) {
      if (segment[0] > column - 1) break
      found = segment
    }
    found ??= segments[0] ?? null
    return found === null ? null : { line: found[1] + 1, column: found[2] + 1 }
  }
}

function decode(mappings: string): Segment[][] {
  let sourceLine = 0
  let sourceColumn = 0
  return mappings.split(';').map((line) => {
    let column = 0
    const segments: Segment[] = []
    for (const text of line.split(',')) {
      const numbers = readNumbers(text)
      if (numbers.length === 0) continue
      column += numbers[0] as number
      if (numbers.length < 4) continue
      sourceLine += numbers[2] as number
      sourceColumn += numbers[3] as number
      segments.push([column, sourceLine, sourceColumn])
    }
    return segments
  })
}

/** Base-64 digits of five bits each, the lowest first. The sixth bit means that more follow; the lowest bit of all is the sign. */
function readNumbers(text: string): number[] {
  const numbers: number[] = []
  let value = 0
  let shift = 0
  for (const character of text) {
    const digit = DIGITS.indexOf(character)
    if (digit < 0) return []
    value |= (digit & 31) << shift
    if ((digit & 32) !== 0) shift += 5
    else {
      numbers.push((value & 1) === 1 ? -(value >>> 1) : value >>> 1)
      value = 0
      shift = 0
    }
  }
  return numbers
}
