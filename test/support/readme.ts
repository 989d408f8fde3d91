// Reads the instructions of a page, and compares their results with what the page says. A fence's words after its language say
// how: `sh meanwhile` runs while the next ones run, `sh ctrl-c` until it is stopped, `text shape` has numbers that vary, and
// `…` means anything.

export interface Step {
  /** `sh`: a command. `js`: a program, to be saved as `file`. `code`: a command in a line of text or in a table. */
  kind: 'sh' | 'js' | 'code'
  line: number
  text: string
  flag: string
  /** The output that the page shows, line by line; `null` if it shows none. */
  expected: string[] | null
  shape: boolean
  /** The text beside a command in a table. */
  beside: string
}

const FENCED = /^```(\w+) ?([^\n]*)\n([\s\S]*?)^```$/gm
const INLINE = /`(curl [^`]+)`/g

/** Everything in `markdown` that a reader would type or save, in order, with its expected result. */
export function stepsOf(markdown: string): Step[] {
  const fences = [...markdown.matchAll(FENCED)].map(({ index, 0: whole, 1: language, 2: flag, 3: text }) => (
    { language: language as string, flag: flag as string, text: (text as string).replace(/\n$/, ''), start: index, end: index + whole.length }
  ))
  const lineAt = (index: number): number => markdown.slice(0, index).split('\n').length
  const steps = fences.flatMap((fence, at): (Step & { start: number })[] => {
    if (fence.language !== 'sh' && fence.language !== 'js') return []
    const next = fences[at + 1]
    // An output belongs to the command before it, even with text in between.
    const output = next?.language === 'text' ? next : undefined
    return [{
      kind: fence.language, line: lineAt(fence.start) + 1, text: fence.text, flag: fence.flag, start: fence.start,
      expected: output?.text.split('\n') ?? null, shape: output?.flag === 'shape', beside: '',
    }]
  })
  // Blanked, not cut, so that positions do not change.
  const prose = markdown.replace(FENCED, (fence) => ' '.repeat(fence.length))
  for (const { index, 1: text } of prose.matchAll(INLINE)) {
    const row = prose.slice(prose.lastIndexOf('\n', index) + 1, prose.indexOf('\n', index))
    const beside = row.startsWith('|') ? row.split('|').slice(-2, -1)[0] as string : ''
    steps.push({ kind: 'code', line: lineAt(index), text: text as string, flag: '', start: index, expected: null, shape: false, beside: beside.trim() })
  }
  return steps.sort((a, b) => a.start - b.start).map(({ start: _start, ...step }) => step)
}

const NUMBER = /\d+(?:\.\d+)?/g
/** Below this, two numbers of a kind count as alike: ids, and milliseconds in which nothing happened. */
const SMALL = 100

/** Whether a number may appear in place of the page's: both small, or neither more than twice the other. */
function alike(shown: number, came: number): boolean {
  return (shown < SMALL && came < SMALL) || (came <= shown * 2 && came >= shown / 2)
}

function matchesLine(shown: string, came: string, shape: boolean): boolean {
  const numbers = shape ? shown.split('…').flatMap((part) => part.match(NUMBER) ?? []) : []
  const source = shown.split('…').map((part) => {
    const escaped = part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    return shape ? escaped.replace(/\d+(?:\\\.\d+)?/g, '(\\d+(?:\\.\\d+)?)') : escaped
  }).join('.*')
  const found = new RegExp(`^${source}$`).exec(came)
  return found !== null && numbers.every((number, at) => alike(Number(number), Number(found[at + 1])))
}

/**
 * What is wrong with the actual lines, compared with those of the page: `null` if nothing is. A line `…` matches any number
 * of lines; within a line, `…` matches anything. With `shape`, a number matches one that is like it.
 */
export function difference(shown: readonly string[], came: readonly string[], shape: boolean): string | null {
  let from = 0
  let gap = false
  for (const line of shown) {
    if (line === '…') {
      gap = true
      continue
    }
    const at = came.findIndex((one, index) => index >= from && matchesLine(line, one, shape))
    if (at < 0 || (!gap && at !== from)) return `the page says ${JSON.stringify(line)}, here came ${JSON.stringify(came.slice(from, from + 20))}`
    from = at + 1
    gap = false
  }
  return gap || from === came.length ? null : `the page says nothing of ${JSON.stringify(came.slice(from))}`
}

/** What a table promises about the lines of a call: `` `hello` after 2 s ``. */
export function promisesOf(beside: string): { text: string; seconds: number }[] {
  return [...beside.matchAll(/`([^`]+)` after (\d+) s/g)].map(([, text, seconds]) => ({ text: text as string, seconds: Number(seconds) }))
}
