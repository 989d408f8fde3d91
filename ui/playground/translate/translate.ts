// A Python program in TypeScript. What cannot be translated is reported at its line, and is `undefined` in the text: the
// translation never does something else silently.
import { declare } from './declarations.ts'
import { MODULES } from './api.ts'
import { infer } from './infer/inference.ts'
import { withoutMatch } from './match.ts'
import { nameVariables } from './names.ts'
import { bind, dotted, type ClassInfo } from './scopes.ts'
import { wrapped } from './wrap.ts'
import { everyStatement, expressionsIn, isMainGuard, type Call, type Module, type Statement } from './tree.ts'
import { Expressions } from './write/expressions.ts'
import { Statements } from './write/statements.ts'
import type { Untranslated } from './write/writer.ts'

export type { Untranslated } from './write/writer.ts'

export interface Translation {
  code: string
  untranslated: Untranslated[]
  /** For each line of `code`, the line of the Python program that it comes from. */
  lines: number[]
}

/** How often the program is written at most until its names are clear of its imports. */
const MOST_PASSES = 4
/** What programs import, in the order in which it is imported. */
const IMPORTED = ['loopscope', './pace.ts', './python.ts', './random.ts'] as const
/** Names that are imported as types only. */
const TYPES = new Set(['Coroutine', 'Awaitable', 'Stream'])

export function translate(module: Module): Translation {
  const tree = withoutMatch(module)
  const main = mainCall(tree)
  const body = main === null ? tree : { ...tree, body: tree.body.slice(0, -1) }
  const program = bind(body)
  const inference = infer(body, program)
  const declarations = declare(program)
  const printsParts = everyCall(tree.body).some((call) => dotted(call.func) === 'print' && call.keywords.some(({ arg }) => arg === 'end'))
  let taken: ReadonlySet<string> = new Set()
  let shown: ReadonlySet<ClassInfo> = new Set()
  for (let pass = 1; ; pass++) {
    nameVariables(program, taken)
    const expressions = new Expressions(inference, program, shown, printsParts)
    const statements = new Statements(expressions, declarations, tree.comments, main !== null)
    statements.module(body)
    const used = new Set([...[...expressions.imports.values()].flatMap((names) => [...names]), ...expressions.globals])
    const isSettled = [...used].every((name) => taken.has(name)) && expressions.shown.size === shown.size
    if (isSettled || pass === MOST_PASSES) return translation(tree, expressions, statements)
    taken = new Set([...taken, ...used])
    shown = expressions.shown
  }
}

function translation(tree: Module, { imports, problems }: Expressions, { lines }: Statements): Translation {
  const head = importLines(imports, lines.map(({ text }) => text).join('\n'))
  const written = [...head.map((text) => ({ text, from: 1 })), ...head.length === 0 ? [] : [{ text: '', from: 1 }], ...wrapped(trimmed(lines))]
  return {
    code: `${written.map(({ text }) => text).join('\n')}\n`,
    untranslated: sorted([...unknownImports(tree), ...problems]),
    lines: written.map(({ from }) => from),
  }
}

function importLines(imports: Expressions['imports'], text: string): string[] {
  return IMPORTED.flatMap((module) => {
    // A name that was asked for, but in the end not written.
    const names = [...imports.get(module) ?? []].filter((name) => new RegExp(`\\b${name}\\b`).test(text))
    if (names.length === 0) return []
    names.sort((a, b) => Number(TYPES.has(a)) - Number(TYPES.has(b)) || a.toLowerCase().localeCompare(b.toLowerCase()))
    return [`import { ${names.map((name) => TYPES.has(name) ? `type ${name}` : name).join(', ')} } from '${module}'`]
  })
}

function trimmed<T extends { text: string }>(lines: T[]): T[] {
  const kept = lines.filter(({ text }, i) => text !== '' || (i > 0 && lines[i - 1]?.text !== ''))
  while (kept.at(-1)?.text === '') kept.pop()
  while (kept[0]?.text === '') kept.shift()
  return kept
}

function sorted(problems: Untranslated[]): Untranslated[] {
  const seen = new Set<string>()
  return problems.filter(({ line, column, message }) => {
    const known = `${line} ${column} ${message}`
    return seen.has(known) ? false : seen.add(known)
  }).sort((a, b) => a.line - b.line || a.column - b.column)
}

function unknownImports(tree: Module): Untranslated[] {
  return [...everyStatement(tree.body)].flatMap((statement) => {
    const names = statement.type === 'Import' ? statement.names.map(({ name }) => name) : statement.type === 'ImportFrom' ? [statement.module ?? '.'] : []
    return names.filter((name) => !MODULES.has(name)).map((name) => ({ line: statement.line, column: statement.column, message: `the module ${name} is not translated` }))
  })
}

/** The calls in a block, those of functions and classes included. */
function everyCall(body: readonly Statement[]): Call[] {
  const inner = [...everyStatement(body)].flatMap((statement) => 'decorator_list' in statement ? everyCall(statement.body) : [])
  return [...[...expressionsIn(body)].filter((one) => one.type === 'Call'), ...inner]
}

/** The `asyncio.run(main())` that ends a program: then `main` is exported, and nothing else is needed. */
function mainCall(tree: Module): Statement | null {
  const calls = everyCall(tree.body)
  // A program that asks for the names of its tasks would see that of main.
  if (calls.some(({ func }) => func.type === 'Attribute' && ['get_name', 'current_task', 'all_tasks'].includes(func.attr))) return null
  if (calls.filter(({ func }) => dotted(func) === 'asyncio.run').length !== 1) return null
  const last = tree.body.at(-1)
  const statement = last?.type === 'If' && isMainGuard(last.test) ? last.body.length === 1 ? last.body[0] : undefined : last
  if (statement?.type !== 'Expr' || statement.value.type !== 'Call' || dotted(statement.value.func) !== 'asyncio.run') return null
  const [coroutine] = statement.value.args
  const isMain = coroutine?.type === 'Call' && coroutine.func.type === 'Name' && coroutine.func.id === 'main' && coroutine.args.length === 0 && coroutine.keywords.length === 0 && statement.value.keywords.length === 0
  const defined = tree.body.some((one) => one.type === 'AsyncFunctionDef' && one.name === 'main' && one.decorator_list.length === 0)
  return isMain && defined && statement.value.args.length === 1 ? statement : null
}
