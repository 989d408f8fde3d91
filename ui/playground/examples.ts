// The tutorial's examples as programs of the playground, in both languages: the original files, read when the page is built.
// In TypeScript they import the library by its name here, because there is no `src` beside them.
import type { Language } from '../language.ts'

const typescriptByPath = import.meta.glob<string>('../../examples/[0-9]-*.ts', { query: '?raw', import: 'default', eager: true })
const pythonByPath = import.meta.glob<string>('../../examples/[0-9]-*.py', { query: '?raw', import: 'default', eager: true })
const helpersByPath = import.meta.glob<string>(['../../examples/{pace,chance}.ts', './translate/modules/*.ts'], { query: '?raw', import: 'default', eager: true })
const chanceByPath = import.meta.glob<string>('../../examples/chance.py', { query: '?raw', import: 'default', eager: true })

export interface Starter {
  number: number
  title: string
  code: Readonly<Record<Language, string>>
}

function adapt(code: string): string {
  return code.replaceAll(/'(\.\.\/)+src\/(index|browser)\.ts'/g, "'loopscope'")
}

/** `../../examples/3-two-tasks.ts` is number 3, "Two tasks". */
function starterOf([path, code]: [string, string]): Starter {
  const [, number = '0', name = ''] = /(\d)-(.*)\.ts$/.exec(path) ?? []
  const words = name.replaceAll('-', ' ')
  const python = pythonByPath[path.replace(/ts$/, 'py')] ?? ''
  return { number: Number(number), title: words.charAt(0).toUpperCase() + words.slice(1), code: { typescript: adapt(code), python } }
}

export const starters: readonly Starter[] = Object.entries(typescriptByPath).map(starterOf).sort((a, b) => a.number - b.number)

/** The source of an example, in both languages. */
export function sourceOf(number: number): Starter['code'] {
  return starters.find((starter) => starter.number === number)?.code ?? { typescript: '', python: '' }
}

/** The modules that the examples and translated programs import, under their paths in the compiler. */
export const helpers: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(helpersByPath).map(([path, code]) => [path.replace(/^.*\//, '/'), adapt(code)]),
)

const PYTHON_MAIN = "\n\nif __name__ == '__main__':\n    asyncio.run(main())\n"

/**
 * The program of an example that prints the same each time and ends by itself. Only the fifth has to be changed for that: each
 * of its producers makes this number of items, and its random draws have a seed. The lines of its functions stay where they are.
 */
export function endingProgram(number: number, language: Language, items: number, seed = 7): string {
  const code = sourceOf(number)[language]
  if (number !== 5) return code
  if (language === 'typescript') return `${code}\nimport { run } from 'loopscope'\nawait run(main({ items: ${items}, random: chance(${seed}) }), { name: 'main' })\n`
  const chance = Object.values(chanceByPath).join('').replace(/^""".*"""\n+/, '')
  return code.replace(PYTHON_MAIN, `\n\n${chance}\n\nasyncio.run(main(items=${items}, random=Chance(${seed})))\n`)
}
