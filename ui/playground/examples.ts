// The tutorial's examples as programs of the playground: the original files, read when the page is built. They import the
// library by its name here, because there is no `src` beside them.

const examplesByPath = import.meta.glob<string>('../../examples/[0-9]-*.ts', { query: '?raw', import: 'default', eager: true })
const helpersByPath = import.meta.glob<string>(['../../examples/{pace,chance}.ts', './translate/modules/*.ts'], { query: '?raw', import: 'default', eager: true })

export interface Starter {
  number: number
  title: string
  code: string
}

function adapt(code: string): string {
  return code.replaceAll(/'(\.\.\/)+src\/(index|browser)\.ts'/g, "'loopscope'")
}

/** `../../examples/3-two-tasks.ts` is number 3, "Two tasks". */
function starterOf([path, code]: [string, string]): Starter {
  const [, number = '0', name = ''] = /(\d)-(.*)\.ts$/.exec(path) ?? []
  const words = name.replaceAll('-', ' ')
  return { number: Number(number), title: words.charAt(0).toUpperCase() + words.slice(1), code: adapt(code) }
}

export const starters: readonly Starter[] = Object.entries(examplesByPath).map(starterOf).sort((a, b) => a.number - b.number)

/** The modules that the examples and translated programs import, under their paths in the compiler. */
export const helpers: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(helpersByPath).map(([path, code]) => [path.replace(/^.*\//, '/'), adapt(code)]),
)
