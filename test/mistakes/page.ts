// The programs in docs/mistakes.md, and the tables below them.

export interface Mistake {
  title: string
  code: string
  /** What the page says about it: the lines of its table. */
  table: string[]
}

export interface Page {
  /** What all programs begin with. */
  prelude: string
  mistakes: Mistake[]
}

const SECTION = /^### (.+)\n\n```ts\n([\s\S]*?)\n```\n\n(Write .+\n)((?:\n\|.*)*)/gm

export function readPage(markdown: string): Page {
  const prelude = /```ts\n([\s\S]*?)```/.exec(markdown)?.[1]
  if (prelude === undefined) throw new Error('the page has no program')
  const mistakes = [...markdown.matchAll(SECTION)].map(([, title, code, , table]) => ({
    title: title as string, code: code as string, table: (table as string).split('\n').filter((line) => line !== ''),
  }))
  return { prelude, mistakes }
}

/** The page with these tables. */
export function withTables(markdown: string, tables: string[][]): string {
  let at = 0
  return markdown.replace(SECTION, (_whole, title: string, code: string, write: string) =>
    `### ${title}\n\n\`\`\`ts\n${code}\n\`\`\`\n\n${write}\n${tables[at++]!.join('\n')}`)
}

/** The whole program of a mistake; `names` is what the package exports, and `from` where. */
export function programOf({ prelude }: Page, { code }: Mistake, names: string[], from: string): string {
  const main = /\brun\(/.test(code) && !code.startsWith('yield') || /function\*? main\b/.test(code) ? code : `function* main(): Coroutine<void> {\n${code}\n}`
  const start = /\bawait run\(/.test(code) ? '' : '\nawait run(main(), { clock: new VirtualClock() })'
  const used = names.filter((name) => new RegExp(`\\b${name}\\b`).test(prelude + main + start))
  const [first, ...rest] = prelude.split('\n')
  return `import { ${used.join(', ')} } from '${from}'\nimport type { Coroutine } from '${from}'\n${first}\n${rest.join('\n')}\n${main}${start}\nexport {}\n`
}
