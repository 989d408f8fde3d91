// The lines that are written, with the comments of the Python program in their places.
import type { Comment } from '../tree.ts'

export interface Line {
  text: string
  /** The line in the Python program. */
  from: number
}

/** The length up to which a block of one line needs no braces. */
const SHORT = 110

export class Lines {
  readonly lines: Line[] = []
  /** The line in the Python program that is being written. */
  from = 1
  indent = ''
  readonly #comments: readonly Comment[]
  #nextComment = 0

  constructor(comments: readonly Comment[]) {
    this.#comments = comments
  }

  put(text: string): void {
    this.lines.push({ text: text === '' ? '' : this.indent + text, from: this.from })
  }

  /** A line that comes before those that are there from `at` on. */
  insert(at: number, text: string, from: number): void {
    this.lines.splice(at, 0, { text: this.indent + text, from })
  }

  indented(write: () => void): void {
    const outer = this.indent
    this.indent = `${outer}  `
    write()
    this.indent = outer
  }

  /** `{`, what is in it, and `}`. */
  braced(head: string, write: () => void, tail = ''): void {
    this.put(`${head}{`)
    this.indented(write)
    this.put(`}${tail}`)
  }

  /** Ends a block that began before line `at`; one short line needs no braces. */
  close(at: number): void {
    const head = this.lines[at - 1]
    const only = this.lines[at]
    const simple = this.lines.length === at + 1 && head !== undefined && only !== undefined && head.text.endsWith('{')
      && !/^\s*(const|let|using|for|while|if|\/\/|function|class|;)/.test(only.text) && !only.text.includes(' // ')
    if (!simple || head.text.length + only.text.trim().length > SHORT) {
      this.put('}')
      return
    }
    head.text = `${head.text.slice(0, -1)}${only.text.trim()}`
    this.lines.pop()
  }

  /** The line of the first comment of its own between two lines of the program. */
  commentBetween(after: number, before: number): number | undefined {
    return this.#comments.slice(this.#nextComment).find(({ alone, line }) => alone && line > after && line < before)?.line
  }

  commentsBefore(line: number): void {
    for (; this.#nextComment < this.#comments.length; this.#nextComment++) {
      const { line: at, text, alone } = this.#comments[this.#nextComment] as Comment
      if (at >= line) return
      if (alone) this.put(`// ${text}`.trim())
    }
  }

  /** The comment behind a statement. */
  commentBehind(line: number): void {
    const comment = this.#comments[this.#nextComment]
    const last = this.lines.at(-1)
    if (comment === undefined || comment.line !== line || comment.alone || last === undefined) return
    last.text += ` // ${comment.text}`
    this.#nextComment++
  }

  /** A docstring as a comment. */
  documentation(text: string): void {
    const lines = text.trim().split('\n').map((line) => line.trim().replaceAll('*/', '* /'))
    if (lines.length === 1) this.put(`/** ${lines[0]} */`)
    else {
      this.put('/**')
      for (const line of lines) this.put(` * ${line}`.trimEnd())
      this.put(' */')
    }
  }
}
