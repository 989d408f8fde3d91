// Places in the text of a program: its lines, and the word at a line and column.

export interface CodeLine {
  start: number
  text: string
}

/** The lines of a program, each with the place where it starts. */
export function linesOf(code: string): CodeLine[] {
  let start = 0
  return code.split('\n').map((text) => {
    const line = { start, text }
    start += text.length + 1
    return line
  })
}

/** The word at a place, for a mark. Lines and columns count from 1. */
export function rangeOf(lines: readonly CodeLine[], line: number, column: number): { from: number; to: number } {
  const { start, text } = lines[line - 1] ?? { start: 0, text: '' }
  const from = Math.min(column - 1, text.length)
  const length = /^[\w$.]+/.exec(text.slice(from))?.[0].length ?? text.length - from
  return { from: start + from, to: start + from + Math.max(1, length) }
}
