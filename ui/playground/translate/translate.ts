// A Python program in TypeScript. What cannot be translated is reported at its line, and is `undefined` in the text: the
// translation never does something else silently.
import { declare } from './declarations.ts'
import { Expressions, TYPES, type Untranslated } from './expressions.ts'
import { Inference } from './infer.ts'
import { nameVariables } from './names.ts'
import { bind, dotted, type ClassInfo } from './scopes.ts'
import { isMainGuard, Statements } from './statements.ts'
import { wrapped } from './wrap.ts'
import type { Expression, Module, Statement } from './tree.ts'
import { everyExpression, everyStatement, expressionsOf } from './tree.ts'

export type { Untranslated } from './expressions.ts'

export interface Translation {
  code: string
  untranslated: Untranslated[]
  /** For each line of `code`, the line of the Python program that it comes from. */
  lines: number[]
}

/** How often the program is written at most until its names are clear of its imports. */
const MOST_PASSES = 4
const MODULES = ['loopscope', './pace.ts', './python.ts', './random.ts'] as const

export function translate(tree: Module): Translation {
  const main = mainCall(tree)
  const program = bind(main === null ? tree : withoutMain(tree))
  const body = main === null ? tree : withoutMain(tree)
  const inference = new Inference(body, program)
  inference.run()
  const declarations = declare(program)
  const printsParts = everyCall(tree).some((call) => dotted(call.func) === 'print' && call.keywords.some(({ arg }) => arg === 'end'))
  let taken = new Set<string>()
  let shown = new Set<ClassInfo>()
  for (let pass = 1; ; pass++) {
    nameVariables(program, taken)
    const expressions = new Expressions(inference, program, printsParts)
    for (const cls of shown) expressions.shown.add(cls)
    const statements = new Statements(expressions, inference, program, declarations, tree.comments, main !== null)
    statements.module(body)
    const used = new Set([...[...expressions.imports.values()].flatMap((names) => [...names]), ...expressions.globals])
    const settled = [...used].every((name) => taken.has(name)) && expressions.shown.size === shown.size
    if (!settled && pass < MOST_PASSES) {
      taken = new Set([...taken, ...used])
      shown = new Set(expressions.shown)
      continue
    }
    const text = statements.lines.map((line) => line.text).join('\n')
    const head = MODULES.flatMap((module) => {
      // A name that was asked for, but in the end not written.
      const names = [...expressions.imports.get(module) ?? []].filter((name) => new RegExp(`\\b${name}\\b`).test(text)).sort((a, b) => Number(TYPES.has(a)) - Number(TYPES.has(b)) || a.toLowerCase().localeCompare(b.toLowerCase()))
      return names.length === 0 ? [] : [`import { ${names.map((name) => TYPES.has(name) ? `type ${name}` : name).join(', ')} } from '${module}'`]
    })
    const unknown = unknownImports(tree)
    const written = [...head.map((text) => ({ text, from: 1 })), ...(head.length === 0 ? [] : [{ text: '', from: 1 }]), ...wrapped(trimmed(statements.lines))]
    return {
      code: `${written.map(({ text }) => text).join('\n')}\n`,
      untranslated: sorted([...unknown, ...expressions.problems]),
      lines: written.map(({ from }) => from),
    }
  }
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

/** Modules of which nothing is translated. */
const KNOWN = new Set(['asyncio', 'time', 'random', 'string', 'collections', 'itertools', 'functools', 'contextlib', 'contextvars', 'dataclasses', 'enum', 'math', 'typing', '__future__', 'abc', 'collections.abc'])

function unknownImports(tree: Module): Untranslated[] {
  return [...everyStatement(tree.body)].flatMap((statement) => {
    const names = statement.type === 'Import' ? statement.names.map(({ name }) => name) : statement.type === 'ImportFrom' ? [statement.module ?? '.'] : []
    return names.filter((name) => !KNOWN.has(name)).map((name) => ({ line: statement.line, column: statement.column, message: `the module ${name} is not translated` }))
  })
}

type Call = Expression & { type: 'Call' }

function everyCall(tree: Module): Call[] {
  const found: Call[] = []
  const look = (body: readonly Statement[]): void => {
    for (const statement of everyStatement(body)) {
      for (const expression of expressionsOf(statement)) for (const inner of everyExpression(expression)) if (inner.type === 'Call') found.push(inner)
      if (statement.type === 'FunctionDef' || statement.type === 'AsyncFunctionDef' || statement.type === 'ClassDef') look(statement.body)
    }
  }
  look(tree.body)
  return found
}

/** The `asyncio.run(main())` that ends a program: then `main` is exported, and nothing else has to be said. */
function mainCall(tree: Module): Statement | null {
  const calls = everyCall(tree)
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

function withoutMain(tree: Module): Module {
  return { ...tree, body: tree.body.slice(0, -1) }
}
