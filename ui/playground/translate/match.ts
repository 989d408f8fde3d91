// `match` as what it means: `if` with tests of the subject and its parts, and names for them. The rest of the translation has
// no statement of this kind, unless a pattern is one that is not translated.
import {
  at, everyExpression, everyStatement, type At, type Call, type ClassDef, type Comparison, type Constant, type Expression, type If, type Match, type Module, type Name,
  type Pattern, type Statement,
} from './tree.ts'

/** What cannot be written as a test. */
class Untranslatable extends Error {
  readonly at: At

  constructor(node: At, message: string) {
    super(message)
    this.at = node
  }
}

/** A part of the subject; each use of it has nodes of its own. */
type Path = () => Expression

interface Matched {
  /** What has to be true, all of it. */
  tests: Expression[]
  /** What gets a name. */
  names: [name: string, of: Path, at: At][]
}

const NOTHING: Matched = { tests: [], names: [] }

/** Builtin classes whose only positional pattern is for the value itself. */
const OWN_VALUE = new Set(['bool', 'bytes', 'dict', 'float', 'int', 'list', 'set', 'str', 'tuple'])

export function withoutMatch(tree: Module): Module {
  return { ...tree, body: new Rewriter(tree).block(tree.body) }
}

class Rewriter {
  readonly #names = new Set<string>()
  readonly #classes = new Map<string, ClassDef>()
  #subjects = 0

  constructor(tree: Module) {
    this.#look(tree.body)
  }

  /** Collects the names and classes of the program. */
  #look(body: readonly Statement[]): void {
    for (const statement of everyStatement(body)) {
      if (statement.type === 'ClassDef') this.#classes.set(statement.name, statement)
      if (statement.type === 'Assign') for (const target of statement.targets) for (const inner of everyExpression(target)) if (inner.type === 'Name') this.#names.add(inner.id)
      if ('args' in statement) for (const { arg } of statement.args.args) this.#names.add(arg)
      if ('decorator_list' in statement) this.#look(statement.body)
    }
  }

  block(body: Statement[]): Statement[] {
    return body.flatMap((statement): Statement[] => {
      switch (statement.type) {
        case 'Match': return this.#match(statement)
        case 'For': case 'AsyncFor': case 'While': case 'If': return [{ ...statement, body: this.block(statement.body), orelse: this.block(statement.orelse) }]
        case 'FunctionDef': case 'AsyncFunctionDef': {
          const outer = this.#subjects
          this.#subjects = 0
          const inner = this.block(statement.body)
          this.#subjects = outer
          return [{ ...statement, body: inner }]
        }
        case 'With': case 'AsyncWith': case 'ClassDef': return [{ ...statement, body: this.block(statement.body) }]
        case 'Try': case 'TryStar': {
          const handlers = statement.handlers.map((handler) => ({ ...handler, body: this.block(handler.body) }))
          return [{ ...statement, handlers, body: this.block(statement.body), orelse: this.block(statement.orelse), finalbody: this.block(statement.finalbody) }]
        }
        default: return [statement]
      }
    })
  }

  #match(node: Match): Statement[] {
    try {
      const { subject } = node
      const isOwn = subject.type === 'Name' && !JSON.stringify(node.cases.map(({ pattern }) => pattern)).includes(`"name":"${subject.id}"`)
      const id = isOwn ? subject.id : this.#free()
      const place: At = { line: node.line, column: node.column, endLine: node.line }
      const path: Path = () => ({ ...place, type: 'Name', id })
      const chain = node.cases.reduceRight<Statement[]>((rest, { pattern, guard, body }, i) => {
        const { tests, names } = this.#test(pattern, path)
        const all = guard === null ? tests : [...tests, withPaths(guard, names)]
        const inner = [...names.map(([name, of, node]): Statement => ({ ...at(node), endLine: node.line, type: 'Assign', targets: [{ ...at(node), type: 'Name', id: name }], value: of() })), ...this.block(body)]
        if (all.length === 0) return inner
        const first = all[0] as Expression
        const test: Expression = all.length === 1 ? first : { ...at(pattern), type: 'BoolOp', op: 'And', values: all }
        return [{ line: i === 0 ? node.line : pattern.line, column: pattern.column, endLine: node.endLine, type: 'If', test, body: inner, orelse: rest } satisfies If]
      }, [])
      return isOwn ? chain : [{ ...place, type: 'Assign', targets: [path()], value: subject }, ...chain]
    } catch (error) {
      if (!(error instanceof Untranslatable)) throw error
      return [{ ...node, problem: { at: error.at, message: error.message } }]
    }
  }

  /** A name for a subject that has none. */
  #free(): string {
    for (;;) {
      const name = `subject${this.#subjects++ === 0 ? '' : this.#subjects}`
      if (!this.#names.has(name)) return name
    }
  }

  #test(pattern: Pattern, path: Path): Matched {
    switch (pattern.type) {
      case 'MatchValue': return { tests: [{ ...compare(pattern, path(), 'Eq', pattern.value), isPattern: true }], names: [] }
      case 'MatchSingleton': return { tests: [compare(pattern, path(), 'Is', constant(pattern, pattern.value === null ? 'none' : 'bool', pattern.value))], names: [] }
      case 'MatchAs': {
        const inner = pattern.pattern === null ? NOTHING : this.#test(pattern.pattern, path)
        return pattern.name === null ? inner : { ...inner, names: [...inner.names, [pattern.name, path, pattern]] }
      }
      case 'MatchStar': return pattern.name === null ? NOTHING : { tests: [], names: [[pattern.name, path, pattern]] }
      case 'MatchSequence': return this.#sequence(pattern, path)
      case 'MatchMapping': {
        if (pattern.rest !== null) throw new Untranslatable(pattern, 'a pattern with **')
        const parts = pattern.keys.map((key, i) => together(
          { tests: [compare(pattern, copy(key), 'In', path())], names: [] },
          this.#test(pattern.patterns[i] as Pattern, () => ({ ...at(pattern), type: 'Subscript', value: path(), slice: copy(key) })),
        ))
        return together({ tests: [isInstance(pattern, path(), named(pattern, 'dict'))], names: [] }, ...parts)
      }
      case 'MatchClass': return this.#class(pattern, path)
      case 'MatchOr': {
        const parts = pattern.patterns.map((one) => this.#test(one, path))
        const [first = NOTHING] = parts
        if (parts.some(({ names }) => textOf(names) !== textOf(first.names))) throw new Untranslatable(pattern, 'a pattern with names that are in different places')
        if (parts.some(({ tests }) => tests.length === 0)) return { tests: [], names: first.names }
        const values = parts.map(({ tests }): Expression => tests.length === 1 ? tests[0] as Expression : { ...at(pattern), type: 'BoolOp', op: 'And', values: tests })
        return { tests: [{ ...at(pattern), type: 'BoolOp', op: 'Or', values }], names: first.names }
      }
    }
  }

  #sequence(pattern: Pattern & { type: 'MatchSequence' }, path: Path): Matched {
    const { patterns } = pattern
    const star = patterns.findIndex(({ type }) => type === 'MatchStar')
    const size: Call = { ...at(pattern), type: 'Call', func: named(pattern, 'len'), args: [path()], keywords: [] }
    const long = compare(pattern, size, star < 0 ? 'Eq' : 'GtE', constant(pattern, 'int', String(star < 0 ? patterns.length : patterns.length - 1)))
    const place = (index: number): Expression => index >= 0 ? constant(pattern, 'int', String(index)) : { ...at(pattern), type: 'UnaryOp', op: 'USub', operand: constant(pattern, 'int', String(-index)) }
    const parts = patterns.map((one, i) => this.#test(one, () => {
      const behind = i - patterns.length + 1
      const slice: Expression = i === star ? { ...at(one), type: 'Slice', lower: place(i), upper: behind === 0 ? null : place(behind), step: null } : place(star >= 0 && i > star ? i - patterns.length : i)
      return { ...at(one), type: 'Subscript', value: path(), slice }
    }))
    const kinds: Expression = { ...at(pattern), type: 'Tuple', elts: ['list', 'tuple', 'deque'].map((name) => named(pattern, name)) }
    return together({ tests: [isInstance(pattern, path(), kinds), { ...long, isPattern: true }], names: [] }, ...parts)
  }

  #class(pattern: Pattern & { type: 'MatchClass' }, path: Path): Matched {
    const { cls, patterns, kwd_attrs: attributes, kwd_patterns: values } = pattern
    const is: Matched = { tests: [isInstance(pattern, path(), copy(cls))], names: [] }
    if (cls.type === 'Name' && OWN_VALUE.has(cls.id) && !this.#classes.has(cls.id)) return together(is, ...patterns.map((one) => this.#test(one, path)))
    const names = cls.type === 'Name' && patterns.length > 0 ? this.#fields(cls.id) : []
    if (patterns.length > names.length) throw new Untranslatable(pattern, 'a pattern with places, of a class that is no dataclass')
    const part = (one: Pattern, attr: string): Matched => this.#test(one, () => ({ ...at(one), type: 'Attribute', value: path(), attr }))
    return together(is, ...patterns.map((one, i) => part(one, names[i] as string)), ...values.map((one, i) => part(one, attributes[i] as string)))
  }

  /** The names of a dataclass's fields in the order of its text, those of its bases first. */
  #fields(name: string): string[] {
    const cls = this.#classes.get(name)
    if (cls === undefined || !JSON.stringify(cls.decorator_list).includes('"dataclass"')) return []
    const bases = cls.bases.flatMap((base) => base.type === 'Name' && base.id !== name ? this.#fields(base.id) : [])
    return [...bases, ...cls.body.flatMap((statement) => statement.type === 'AnnAssign' && statement.target.type === 'Name' ? [statement.target.id] : [])]
  }
}

function together(...parts: Matched[]): Matched {
  return { tests: parts.flatMap(({ tests }) => tests), names: parts.flatMap(({ names }) => names) }
}

function named(node: At, id: string): Name {
  return { ...at(node), type: 'Name', id }
}

function constant(node: At, kind: string, value: string | boolean | null): Constant {
  return { ...at(node), type: 'Constant', kind, value }
}

function compare(node: At, left: Expression, op: Comparison, right: Expression): Expression & { type: 'Compare' } {
  return { ...at(node), type: 'Compare', left, ops: [op], comparators: [right] }
}

function isInstance(node: At, value: Expression, classes: Expression): Call {
  return { ...at(node), type: 'Call', func: named(node, 'isinstance'), args: [value, classes], keywords: [], isPattern: true }
}

/** The same expression with nodes of its own. */
function copy(node: Expression): Expression {
  return structuredClone(node)
}

/** Names and the parts that they are for, to be compared. */
function textOf(names: Matched['names']): string {
  return JSON.stringify(names.map(([name, of]) => [name, of()]).sort(), (key, value: unknown) => ['line', 'column', 'endLine'].includes(key) ? undefined : value)
}

/** A guard, in which names that the pattern gives are still parts of the subject. */
function withPaths(guard: Expression, names: Matched['names']): Expression {
  if (names.length === 0) return guard
  for (const inner of everyExpression(guard)) {
    if (['Lambda', 'ListComp', 'SetComp', 'DictComp', 'GeneratorExp', 'NamedExpr'].includes(inner.type)) throw new Untranslatable(guard, 'a guard with names of its own')
  }
  const paths = new Map(names.map(([name, of]) => [name, of]))
  const replaced = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(replaced)
    if (typeof value !== 'object' || value === null) return value
    const of = 'type' in value && value.type === 'Name' && 'id' in value ? paths.get(value.id as string) : undefined
    return of === undefined ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, replaced(one)])) : of()
  }
  return replaced(guard) as Expression
}
