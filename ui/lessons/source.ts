// The two sources of an example: pieces for colouring, and the pairs of lines that do the same.

export interface Piece {
  kind: 'keyword' | 'string' | 'number' | 'comment' | 'plain'
  text: string
}

const PIECE = /(\/\/.*|#.*)|('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)|\b(\d+(?:\.\d+)?)\b|\b(import|from|export|function|yield|const|let|for|if|of|in|return|new|while|type|interface|async|def|await|pass|and|or|not|None|True|False)\b/g

/** One line in pieces. */
export function pieces(line: string): Piece[] {
  const found: Piece[] = []
  let at = 0
  for (const match of line.matchAll(PIECE)) {
    if (match.index > at) found.push({ kind: 'plain', text: line.slice(at, match.index) })
    const kind = match[1] !== undefined ? 'comment' : match[2] !== undefined ? 'string' : match[3] !== undefined ? 'number' : 'keyword'
    found.push({ kind, text: match[0] })
    at = match.index + match[0].length
  }
  if (at < line.length) found.push({ kind: 'plain', text: line.slice(at) })
  return found
}

interface Language {
  /** Matches the beginning of a function, with its name. */
  begins: RegExp
  /** Matches a line that may suspend the task or block the loop. */
  stops: RegExp
}

const TYPESCRIPT: Language = { begins: /^(?:export )?function\*? ?(\w+)/, stops: /yield\*|blockingSleep\(/ }
const PYTHON: Language = { begins: /^(?:async )?def (\w+)/, stops: /\bawait\b|time\.sleep\(/ }

/** For each line of the TypeScript where a task can be suspended, the line of the Python that does the same; lines from 1. */
export function twinLines(typescript: string, python: string): Map<number, number> {
  const theirs = stopsOf(python, PYTHON)
  const twins = new Map<number, number>()
  for (const [name, lines] of stopsOf(typescript, TYPESCRIPT)) {
    const others = theirs.get(snake(name)) ?? []
    lines.forEach((line, at) => {
      const other = others[at]
      if (other !== undefined) twins.set(line, other)
    })
  }
  return twins
}

function stopsOf(source: string, { begins, stops }: Language): Map<string, number[]> {
  const found = new Map<string, number[]>()
  let lines: number[] | null = null
  source.split('\n').forEach((text, at) => {
    const name = begins.exec(text)?.[1]
    if (name !== undefined) found.set(name, lines = [])
    else if (lines !== null && /^[^\s})]/.test(text)) lines = null
    else if (lines !== null && stops.test(text)) lines.push(at + 1)
  })
  return found
}

/** `sayAfter` is `say_after` in Python. */
function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
