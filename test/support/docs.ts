// Reads the programs in a page of documentation: each ```ts block that begins with an import of 'loopscope', or of another
// entry point, and the ```text block below it, which is its output.

export interface Program {
  /** The page's path, and the line on which the program begins. */
  page: string
  line: number
  source: string
  /** Its output according to the page; `null` if the page has none. */
  expected: string[] | null
}

const FENCED = /^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm

interface Block {
  language: string
  text: string
  start: number
  end: number
}

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(FENCED)].map(({ index, 0: whole, 1: language, 2: text }) => ({
    language: language as string, text: text as string, start: index, end: index + whole.length,
  }))
}

export function programsOf(page: string, markdown: string, first = 'loopscope'): Program[] {
  const blocks = blocksOf(markdown)
  return blocks.flatMap((block, index): Program[] => {
    if (block.language !== 'ts' || !new RegExp(`^import [^\\n]* from '${first}'\n`).test(block.text)) return []
    const next = blocks[index + 1]
    // Only a block that follows at once belongs to it.
    const output = next?.language === 'text' && markdown.slice(block.end, next.start).trim() === '' ? next.text : null
    return [{
      page,
      line: markdown.slice(0, block.start).split('\n').length + 1,
      source: block.text,
      expected: output === null ? null : output.replace(/\n$/, '').split('\n'),
    }]
  })
}
