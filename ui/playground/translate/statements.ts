// Statements in TypeScript: the scopes of `with` as bodies, `except` clauses as tests in one catch, variables declared where
// TypeScript wants them.
import { LEVEL, tight } from './entry.ts'
import type { Declarations } from './declarations.ts'
import { Expressions, methodName, quoted, TYPES } from './expressions.ts'
import { breaks, dataFields, fallsThrough, returnsValue, type Inference } from './infer.ts'
import { camelCase } from './names.ts'
import { dotted, parametersOf, targetsOf, type ClassInfo, type Program, type Routine, type Variable } from './scopes.ts'
import type { Argument, AnnAssign, Assign, At, AugAssign, Call, ClassDef, Comment, Expression, For, FunctionDef, Handler, Module, Statement, Try, While, With, WithItem } from './tree.ts'
import { blocksOf, everyExpression, everyStatement, expressionsOf } from './tree.ts'
import { resultOf } from './typescript-types.ts'
import { elementsOf, Type, union } from './types.ts'

export interface Line {
  text: string
  /** The line in the Python program. */
  from: number
}

interface Loop {
  label: string | null
  /** How many bodies of their own are around the loop. */
  bodies: number
}

const SIMPLE = new Set(['number', 'string', 'boolean'])
const LOCKS = new Set(['Lock', 'Semaphore', 'Condition'])

export class Statements {
  readonly expressions: Expressions
  lines: Line[] = []
  readonly #infer: Inference
  readonly #program: Program
  readonly #declarations: Declarations
  readonly #comments: Comment[]
  #nextComment = 0
  #indent = ''
  #from = 1
  readonly #loops: Loop[] = []
  /** How many bodies of `with` scopes are functions around this. */
  #bodies = 0
  readonly #exported: boolean

  constructor(expressions: Expressions, infer: Inference, program: Program, declarations: Declarations, comments: Comment[], exported: boolean) {
    this.expressions = expressions
    this.#infer = infer
    this.#program = program
    this.#declarations = declarations
    this.#comments = comments
    this.#exported = exported
  }

  module(tree: Module): void {
    for (const variable of this.#declarations.first) if (variable.scope === this.#program.module) this.#put(`let ${variable.code}!: ${this.expressions.ts(variable.type)}`)
    this.block(tree.body)
    this.#commentsBefore(Infinity)
  }

  #put(text: string): void {
    this.lines.push({ text: text === '' ? '' : this.#indent + text, from: this.#from })
  }

  #problem(node: At, message: string): void {
    this.#put(this.expressions.problem(node, message).text)
  }

  #commentsBefore(line: number): void {
    for (; this.#nextComment < this.#comments.length; this.#nextComment++) {
      const { line: at, text, alone } = this.#comments[this.#nextComment] as Comment
      if (at >= line) return
      if (alone) this.#put(`// ${text}`.trim())
    }
  }

  /** The comment behind a statement. */
  #commentBehind(line: number): void {
    const comment = this.#comments[this.#nextComment]
    const last = this.lines.at(-1)
    if (comment === undefined || comment.line !== line || comment.alone || last === undefined) return
    last.text += ` // ${comment.text}`
    this.#nextComment++
  }

  block(body: readonly Statement[]): void {
    let end: number | null = null
    for (const [i, statement] of body.entries()) {
      if (i === 0 && isDocstring(statement)) {
        end = statement.endLine
        continue
      }
      const line = firstLine(statement)
      const comment = this.#comments.slice(this.#nextComment).find((one) => one.alone && one.line > (end ?? 0) && one.line < line)
      const writes = this.lines.length
      if (end !== null && (comment?.line ?? line) - end > 1 && writes > 0 && this.lines.at(-1)?.text !== '') this.#put('')
      const gap = this.lines.length
      this.#from = line
      this.#commentsBefore(line)
      this.#lastInBlock = i === body.length - 1 ? statement : null
      this.#statement(statement)
      // Nothing was written, an import for instance.
      if (this.lines.length === gap && gap > writes) this.lines.pop()
      end = statement.endLine
    }
  }

  /** The statement that is being written, if its block ends with it. */
  #lastInBlock: Statement | null = null

  #inner(body: readonly Statement[]): void {
    const outer = this.#indent
    this.#indent = `${outer}  `
    this.block(body)
    this.#indent = outer
  }

  #statement(statement: Statement): void {
    for (const variable of this.#declarations.before.get(statement) ?? []) this.#put(`let ${variable.code}!: ${this.expressions.ts(variable.type)}`)
    const at = this.lines.length
    const outer = this.expressions.before
    this.expressions.before = []
    this.#write(statement)
    const { before } = this.expressions
    this.expressions.before = outer
    if (before.length > 0) {
      if (['While', 'For', 'AsyncFor', 'Try', 'If'].includes(statement.type) && statement.type === 'While') this.expressions.problem(statement, 'a comprehension that awaits, in the test of a loop')
      this.lines.splice(at, 0, ...before.map((text) => ({ text: this.#indent + text, from: statement.line })))
    }
    if (blocksOf(statement).length === 0 && statement.type !== 'FunctionDef' && statement.type !== 'AsyncFunctionDef' && statement.type !== 'ClassDef') this.#commentBehind(statement.endLine)
  }

  #expression(node: Expression, level = 0): string {
    return this.expressions.expression(node, level).text
  }

  #write(statement: Statement): void {
    switch (statement.type) {
      case 'FunctionDef': case 'AsyncFunctionDef': this.#function(statement); return
      case 'ClassDef': this.#class(statement); return
      case 'Return': this.#return(statement.value, statement); return
      case 'Assign': this.#assign(statement); return
      case 'AnnAssign': this.#annotated(statement); return
      case 'AugAssign': this.#augmented(statement); return
      case 'For': this.#for(statement); return
      case 'AsyncFor': this.#asyncFor(statement); return
      case 'While': this.#while(statement); return
      case 'If':
        this.#if(statement)
        return
      case 'With': case 'AsyncWith': this.#with(statement, 0); return
      case 'Try': case 'TryStar': this.#try(statement); return
      case 'Raise': this.#raise(statement.exc, statement.cause, statement); return
      case 'Assert':
        this.#put(`if (${this.expressions.test(statement.test, true).text}) throw new ${this.expressions.use('AssertionError', './python.ts')}(${statement.msg === null ? '' : this.expressions.asString(statement.msg)})`)
        return
      case 'Delete':
        for (const target of statement.targets) {
          if (target.type === 'Subscript' && target.slice.type !== 'Slice') {
            const dict = this.expressions.typeOf(target.value).has('dict')
            this.#put(`${this.expressions.use(dict ? 'take' : 'pop', './python.ts')}(${this.#expression(target.value)}, ${this.#expression(target.slice)})`)
          } else if (target.type !== 'Name') this.#problem(statement, 'this del')
        }
        return
      case 'Import': case 'ImportFrom': return
      case 'Global': case 'Nonlocal': case 'Pass': return
      case 'Break': case 'Continue': this.#jump(statement.type, statement); return
      case 'Expr': this.#expressionStatement(statement.value); return
      default: this.#problem(statement, `${statement.type === 'Match' ? 'match' : 'this statement'} is not translated`)
    }
  }

  #expressionStatement(value: Expression): void {
    if (value.type === 'Constant') return
    if (value.type === 'Yield' && this.#contextBody(value)) return
    if (value.type === 'ListComp') {
      const [generator] = value.generators
      if (generator !== undefined && value.generators.length === 1) {
        this.#put(`for (const ${this.expressions.pattern(generator.target)} of ${this.expressions.iterable(generator.iter).text}) ${generator.ifs.map((test) => `if (${this.expressions.test(test).text}) `).join('')}${this.#expression(value.elt)}`)
        return
      }
    }
    this.expressions.takesSets = value.type === 'Await'
    const text = this.#expression(value)
    this.expressions.takesSets = false
    this.#put(/^[[(`/]/.test(text) ? `;${text}` : text)
  }

  // Functions

  #parameters(routine: Routine, bound: boolean): string {
    const { args } = routine.node
    const plain = [...args.posonlyargs, ...args.args]
    const list: string[] = []
    const one = (argument: Argument, fallback: Expression | null | undefined): void => {
      const variable = routine.scope.own(argument.arg)
      const type = this.expressions.variableType(variable)
      if (fallback === null || fallback === undefined) list.push(`${variable.code}: ${type}`)
      else {
        if (['List', 'Dict', 'Set', 'Call'].includes(fallback.type)) this.expressions.problem(fallback, 'a default value that all calls share')
        const text = this.#expression(fallback)
        const obvious = fallback.type === 'Constant' && SIMPLE.has(type) && fallback.kind !== 'none'
        list.push(obvious ? `${variable.code} = ${text}` : `${variable.code}: ${type} = ${text}`)
      }
    }
    for (const [i, argument] of plain.entries()) {
      if (bound && i === 0) continue
      one(argument, args.defaults[i - (plain.length - args.defaults.length)])
    }
    for (const [i, argument] of args.kwonlyargs.entries()) one(argument, args.kw_defaults[i])
    if (args.vararg !== null) {
      const variable = routine.scope.own(args.vararg.arg)
      const elem = elementsOf(variable.type)
      list.push(`...${variable.code}: ${elem.unknown ? 'any' : /[|=]/.test(this.expressions.ts(elem)) ? `(${this.expressions.ts(elem)})` : this.expressions.ts(elem)}[]`)
    }
    if (args.kwarg !== null && !this.#onlyPassed(routine, args.kwarg.arg)) this.expressions.problem(args.kwarg, '** parameters, unless they are only passed on')
    return list.join(', ')
  }

  /** Whether a function's `**kwargs` are used for nothing but calls with `**kwargs`. */
  #onlyPassed({ node }: Routine, name: string): boolean {
    if (node.type === 'Lambda') return false
    let uses = 0
    let passes = 0
    for (const statement of everyStatement(node.body)) {
      for (const expression of expressionsOf(statement)) {
        for (const inner of everyExpression(expression)) {
          if (inner.type === 'Name' && inner.id === name) uses++
          if (inner.type === 'Call') for (const { arg, value } of inner.keywords) if (arg === null && value.type === 'Name' && value.id === name) passes++
        }
      }
    }
    return uses === passes
  }

  #resultText(routine: Routine): string {
    if (routine.isGenerator && !routine.isAsync) return `Generator<${this.expressions.ts(routine.yields)}, void>`
    if (routine.returns.atoms.size === 0) {
      const returns = routine.node.type === 'Lambda' || returnsValue(routine.node.body)
      const inner = returns ? 'any' : 'never'
      if (routine.isAsync && !routine.isGenerator) return `${this.expressions.use('Coroutine')}<${inner}>`
      if (!routine.isGenerator) return inner
    }
    return this.expressions.ts(resultOf(routine))
  }

  #isContext(routine: Routine): boolean {
    return routine.decorators.some((name) => /contextmanager$/.test(name))
  }

  #function(node: FunctionDef): void {
    const routine = this.#program.routines.get(node) as Routine
    const variable = this.#program.variables.get(node) as Variable
    this.#docstring(node.body)
    const decorators = node.decorator_list.filter((decorator) => !/(^|\.)(asynccontextmanager|contextmanager|wraps)$/.test(dotted(decorator)))
    const exported = this.#exported && this.#program.module === variable.scope && variable.name === 'main' ? 'export ' : ''
    const star = node.type === 'AsyncFunctionDef' || routine.isGenerator ? '*' : ''
    if (decorators.length === 0) {
      this.#routine(routine, `${exported}function${star} ${variable.code}`, false, '')
      return
    }
    const wrapped = decorators.map((decorator) => `${this.#expression(decorator, LEVEL.call)}(`).join('')
    this.#routine(routine, `const ${variable.code} = ${wrapped}function${star} ${variable.code}`, false, ')'.repeat(decorators.length))
  }

  #docstring(body: readonly Statement[]): void {
    const [first] = body
    if (first === undefined || !isDocstring(first)) return
    const text = String((first as Statement & { value: { value: string } }).value.value).trim().split('\n').map((line) => line.trim())
    if (text.length === 1) this.#put(`/** ${(text[0] ?? '').replaceAll('*/', '* /')} */`)
    else {
      this.#put('/**')
      for (const line of text) this.#put(` * ${line.replaceAll('*/', '* /')}`.trimEnd())
      this.#put(' */')
    }
  }

  #routine(routine: Routine, head: string, bound: boolean, tail: string): void {
    const { expressions } = this
    const { node } = routine
    if (node.type === 'Lambda') return
    expressions.routines.push(routine)
    const isContext = this.#isContext(routine)
    const outer = { depth: expressions.depth, usesSelf: expressions.usesSelf, bodies: this.#bodies, loops: this.#loops.splice(0), caught: expressions.caught.splice(0) }
    if (routine.owner !== null && bound) {
      expressions.depth = 0
      expressions.usesSelf = false
    } else expressions.depth++
    this.#bodies = 0
    let parameters = this.#parameters(routine, bound)
    if (isContext) {
      const value = expressions.ts(routine.yields)
      const body = `body: (${routine.yields.only('none') ? '' : `value: ${value}`}) => ${expressions.use('Coroutine')}<T>`
      parameters = parameters === '' ? body : `${parameters}, ${body}`
      this.#put(`${head.replace(/function (?=\w)/, 'function* ')}<T>(${parameters}): ${expressions.use('Coroutine')}<T> {`)
    } else this.#put(`${head}(${parameters})${head === 'constructor' || head.startsWith('set ') ? '' : `: ${this.#resultText(routine)}`} {`)
    this.#commentBehind(this.#headEnd(node))
    const start = this.lines.length
    const first = routine.scope
    const indent = this.#indent
    this.#indent = `${indent}  `
    for (const variable of this.#declarations.first) if (variable.scope === first) this.#put(`let ${variable.code}!: ${expressions.ts(variable.type)}`)
    const hands = isContext && !this.#tail(node.body)
    if (hands) this.#put('let result!: T')
    this.block(node.body)
    if (hands) this.#put('return result')
    if (!routine.isGenerator && fallsThrough(node.body) && returnsValue(node.body)) this.#put('return null')
    this.#indent = indent
    if (expressions.usesSelf && routine.owner !== null && bound) this.lines.splice(start, 0, { text: `${indent}  const self = this`, from: node.line })
    this.#put(`}${tail}`)
    expressions.routines.pop()
    if (routine.owner !== null && bound) expressions.usesSelf = outer.usesSelf
    expressions.depth = outer.depth
    this.#bodies = outer.bodies
    this.#loops.push(...outer.loops)
    expressions.caught.push(...outer.caught)
  }

  #headEnd(node: FunctionDef): number {
    const [first] = node.body
    return first === undefined || first.line === node.line ? -1 : node.line
  }

  // Context managers: a body is handed over

  /** Whether the yield of a context manager is the last thing that it does, but for clauses around it. */
  #tail(body: readonly Statement[]): boolean {
    const last = body.at(-1)
    if (last?.type === 'Expr' && last.value.type === 'Yield') return true
    if (last?.type === 'Try') return this.#tail(last.body) && last.orelse.length === 0
    return (last?.type === 'With' || last?.type === 'AsyncWith') && this.#tail(last.body)
  }

  /** `yield value` of a context manager. */
  #contextBody(node: Expression & { type: 'Yield' }): boolean {
    const routine = this.expressions.routines.at(-1)
    if (routine === undefined || !this.#isContext(routine) || routine.node.type === 'Lambda') return false
    const text = `yield* body(${node.value === null ? '' : this.#expression(node.value)})`
    this.#put(`${this.#tail(routine.node.body) ? 'return' : 'result ='} ${text}`)
    return true
  }

  // Classes

  #class(node: ClassDef): void {
    const cls = this.#program.classes.get(node) as ClassInfo
    const { expressions } = this
    this.#docstring(node.body)
    if (node.keywords.length > 0) expressions.problem(node, 'keywords of a class')
    for (const decorator of node.decorator_list) if (!/(^|\.)dataclass$/.test(dotted(decorator))) expressions.problem(decorator, 'a decorator of a class')
    const bases = node.bases.filter((base) => !/(^|\.)(Enum|ABC|object|Protocol)$/.test(dotted(base)))
    if (bases.length > 1) expressions.problem(node, 'several base classes')
    const base = bases[0] === undefined ? '' : ` extends ${this.#expression(bases[0])}`
    this.#put(`class ${cls.variable.code}${base} {`)
    const indent = this.#indent
    this.#indent = `${indent}  `
    if (cls.isEnum) this.#enum(cls)
    else {
      if (cls.error !== null) this.#put(`override name = ${quoted(node.name)}`)
      this.#fields(cls)
      if (cls.isDataclass) this.#dataConstructor(cls)
    }
    this.#members(cls)
    if ((cls.isDataclass || cls.isEnum) && expressions.shown.has(cls)) this.#dataText(cls)
    this.#indent = indent
    this.#put('}')
  }

  #fields(cls: ClassInfo): void {
    const { expressions } = this
    const inherited = (name: string): boolean => cls.bases.some((base) => this.#infer.field(base, name) !== null)
    for (const [name, type] of cls.statics) {
      const value = assignedIn(cls.node, name)
      if (value === null || inherited(name) && cls.fields.has(name)) continue
      const text = this.#expression(value)
      this.#put(cls.fields.has(name) ? `${camelCase(name)}: ${expressions.ts(union(type, cls.fields.get(name) ?? new Type()))} = ${text}` : `static ${camelCase(name)}: ${expressions.ts(type)} = ${text}`)
    }
    if (cls.isDataclass) return
    const init = cls.methods.get('__init__')
    for (const [name, type] of cls.fields) {
      if (cls.statics.has(name) || inherited(name)) continue
      const sure = init !== undefined && init.node.type !== 'Lambda' && init.node.body.some((statement) => assignsSelf(statement, name))
      this.#put(`${camelCase(name)}${sure ? '' : '!'}: ${expressions.ts(type)}`)
    }
  }

  #enum(cls: ClassInfo): void {
    const { expressions } = this
    const value = expressions.ts(this.#infer.enumValues(cls))
    let auto = 0
    for (const statement of cls.node.body) {
      if (statement.type !== 'Assign' || statement.targets[0]?.type !== 'Name') continue
      const name = statement.targets[0].id
      const isAuto = statement.value.type === 'Call' && dotted(statement.value.func).endsWith('auto')
      this.#put(`static readonly ${camelCase(name)} = new ${cls.variable.code}(${quoted(name)}, ${isAuto ? ++auto : this.#expression(statement.value)})`)
    }
    this.#put('')
    this.#put(`private constructor(readonly name: string, readonly value: ${value}) {}`)
  }

  #dataConstructor(cls: ClassInfo): void {
    const { expressions } = this
    const own = new Set(cls.node.body.flatMap((statement) => statement.type === 'AnnAssign' && statement.target.type === 'Name' ? [statement.target.id] : []))
    const parameters = dataFields(cls).map(({ name, value }) => {
      const type = expressions.ts(this.#infer.field(cls, name) ?? new Type())
      let text = ''
      if (value !== null && !(value.type === 'Call' && /(^|\.)field$/.test(dotted(value.func)))) text = this.#expression(value)
      else if (value?.type === 'Call') {
        const made = value.keywords.find(({ arg }) => arg === 'default_factory')?.value
        const fixed = value.keywords.find(({ arg }) => arg === 'default')?.value
        const plain: Record<string, string> = { list: '[]', dict: 'new Map()', set: 'new Set()' }
        text = fixed !== undefined ? this.#expression(fixed) : made === undefined ? '' : made.type === 'Name' && made.id in plain ? plain[made.id] as string
          : made.type === 'Lambda' ? this.#expression(made.body) : this.#expression({ ...value, func: made, args: [], keywords: [] } satisfies Call)
      }
      return `${own.has(name) ? 'public ' : ''}${camelCase(name)}: ${type}${text === '' ? '' : ` = ${text}`}`
    })
    const base = cls.bases[0]
    const inner: string[] = []
    if (base !== undefined) inner.push(`super(${dataFields(base).map(({ name }) => camelCase(name)).join(', ')})`)
    if (cls.methods.has('__post_init__')) inner.push('this.postInit()')
    if (inner.length === 0) this.#put(`constructor(${parameters.join(', ')}) {}`)
    else {
      this.#put(`constructor(${parameters.join(', ')}) {`)
      for (const line of inner) this.#put(`  ${line}`)
      this.#put('}')
    }
  }

  /** How a dataclass or Enum prints. */
  #dataText(cls: ClassInfo): void {
    if (this.#infer.method(cls, '__str__') !== null || this.#infer.method(cls, '__repr__') !== null) return
    this.#put('')
    this.#put('toString(): string {')
    if (cls.isEnum) this.#put(`  return \`${cls.node.name}.\${this.name}\``)
    else {
      const fields = dataFields(cls).map(({ name }) => {
        const shape = this.expressions.shape(this.#infer.field(cls, name) ?? new Type())
        if (shape === null) this.expressions.problem(cls.node, `how the field ${name} prints is not known`)
        return `${name}=\${${this.expressions.use('repr', './python.ts')}(this.${camelCase(name)}${shape === '' || shape === null ? '' : `, '${shape}'`})}`
      })
      this.#put(`  return \`${cls.node.name}(${fields.join(', ')})\``)
    }
    this.#put('}')
  }

  #members(cls: ClassInfo): void {
    let first = cls.fields.size === 0 && cls.statics.size === 0 && cls.error === null
    for (const statement of cls.node.body) {
      if (statement.type === 'FunctionDef' || statement.type === 'AsyncFunctionDef') {
        this.#from = statement.line
        if (!first) this.#put('')
        first = false
        this.#commentsBefore(firstLine(statement))
        this.#method(cls, statement)
      } else if (!['Assign', 'AnnAssign', 'Expr', 'Pass'].includes(statement.type)) this.#problem(statement, 'this in a class')
    }
  }

  #method(cls: ClassInfo, node: FunctionDef): void {
    const routine = this.#program.routines.get(node) as Routine
    const { name } = node
    const decorators = routine.decorators
    for (const decorator of node.decorator_list) {
      if (!/^(staticmethod|classmethod|property|override|abstractmethod|abc\.abstractmethod|(\w+\.)?(async)?contextmanager|\w+\.setter)$/.test(dotted(decorator))) this.expressions.problem(decorator, 'a decorator of a method')
    }
    this.#docstring(node.body)
    if (name === '__init__') {
      this.#init(cls, routine)
      return
    }
    if (name === '__aexit__' || name === '__exit__') {
      this.#routine(routine, `${node.type === 'AsyncFunctionDef' ? '*' : ''}exit`, true, '')
      return
    }
    const supported = ['__aenter__', '__enter__', '__str__', '__repr__', '__iter__', '__post_init__']
    if (/^__\w+__$/.test(name) && !supported.includes(name)) this.expressions.problem(node, `${name} is not translated`)
    let text = methodName(name)
    // A class that has no __str__ prints as its __repr__.
    if (name === '__repr__' && this.#infer.method(cls, '__str__') === null) text = 'toString'
    if (name === '__post_init__') text = 'postInit'
    const star = node.type === 'AsyncFunctionDef' || routine.isGenerator ? '*' : ''
    const kind = decorators.includes('property') ? 'get ' : decorators.some((one) => one.endsWith('.setter')) ? 'set ' : ''
    const isStatic = decorators.includes('staticmethod') || decorators.includes('classmethod') ? 'static ' : ''
    this.#routine(routine, `${isStatic}${kind}${star}${text}`, true, '')
  }

  #init(cls: ClassInfo, routine: Routine): void {
    const { node } = routine
    if (node.type === 'Lambda') return
    const derived = cls.error !== null || cls.bases.length > 0
    const isSuper = (statement: Statement): boolean => statement.type === 'Expr' && statement.value.type === 'Call' && statement.value.func.type === 'Attribute' && statement.value.func.attr === '__init__'
    // TypeScript wants super() before this.
    const first = node.body.find(isSuper)
    if (derived && first === undefined) {
      const [, parameter] = parametersOf(node)
      const type = parameter === undefined ? new Type() : routine.scope.own(parameter.arg).type
      if (cls.error !== null && (parametersOf(node).length !== 2 || !type.only('str'))) this.expressions.problem(node, 'an exception that does not call super().__init__ with its message')
    }
    const body = first === undefined ? node.body : [first, ...node.body.filter((statement) => statement !== first)]
    const copy: Routine = { ...routine, node: { ...node, body } }
    this.#program.blocks.set(body, this.#program.blocks.get(node.body) as never)
    const at = this.lines.length
    this.#routine(copy, 'constructor', true, '')
    if (derived && first === undefined) {
      const [, parameter] = parametersOf(node)
      this.lines.splice(at + 1, 0, { text: `${this.#indent}  super(${cls.error === null || parameter === undefined ? '' : camelCase(parameter.arg)})`, from: node.line })
    }
  }

  // Control

  #return(value: Expression | null, node: At): void {
    const routine = this.expressions.routines.at(-1)
    if (routine !== undefined && this.#isContext(routine)) {
      this.#problem(node, 'return in a context manager')
      return
    }
    const returns = routine !== undefined && routine.node.type !== 'Lambda' && returnsValue(routine.node.body)
    if (value === null) this.#put(returns || this.#bodies > 0 ? 'return null' : 'return')
    else this.#put(`return ${this.#expression(value)}`)
  }

  #jump(kind: 'Break' | 'Continue', node: At): void {
    const loop = this.#loops.at(-1)
    const word = kind.toLowerCase()
    if (loop === undefined) this.#problem(node, `${word} outside a loop`)
    else if (loop.bodies < this.#bodies) this.#put(`return '${word}'`)
    else this.#put(kind === 'Break' && loop.label !== null ? `break ${loop.label}` : word)
  }

  #if(statement: Statement & { type: 'If' }): void {
    if (isMainGuard(statement.test)) {
      this.block(statement.body)
      return
    }
    this.#put(`if (${this.expressions.test(statement.test).text}) {`)
    this.#commentBehind(statement.line)
    const at = this.lines.length
    this.#inner(statement.body)
    let rest = statement.orelse
    if (rest.length === 0) {
      this.#close(at)
      return
    }
    while (rest.length === 1 && rest[0]?.type === 'If' && (this.#declarations.before.get(rest[0]) ?? []).length === 0) {
      const [next] = rest
      this.#from = next.line
      this.#put(`} else if (${this.expressions.test(next.test).text}) {`)
      this.#commentBehind(next.line)
      this.#inner(next.body)
      rest = next.orelse
    }
    if (rest.length > 0) {
      this.#put('} else {')
      this.#inner(rest)
    }
    this.#put('}')
  }

  /** A loop, in a block of its own if it has an `else`, which a `break` jumps over. */
  #looped(body: readonly Statement[], orelse: readonly Statement[], head: () => string, first: () => string | null = () => null): void {
    const label = orelse.length > 0 && breaks(body) ? 'search' : null
    const outer = this.#indent
    if (label !== null) {
      this.#put(`${label}: {`)
      this.#indent = `${outer}  `
    }
    this.#put(head())
    this.#loops.push({ label, bodies: this.#bodies })
    const at = this.lines.length
    const begin = first()
    if (begin !== null) this.#put(`  ${begin}`)
    this.#inner(body)
    this.#loops.pop()
    this.#close(at)
    if (orelse.length > 0) this.block(orelse)
    if (label !== null) {
      this.#indent = outer
      this.#put('}')
    }
  }

  /** Ends a block that began before line `at`; one short line needs no braces. */
  #close(at: number): void {
    const head = this.lines[at - 1]
    const only = this.lines[at]
    const simple = this.lines.length === at + 1 && head !== undefined && only !== undefined && head.text.endsWith('{') && !/^\s*(const|let|using|for|while|if|\/\/|function|class|;)/.test(only.text) && !only.text.includes(' // ')
    if (!simple || head.text.length + only.text.trim().length > 110) {
      this.#put('}')
      return
    }
    head.text = `${head.text.slice(0, -1)}${only.text.trim()}`
    this.lines.pop()
  }

  #while(statement: While): void {
    const { test, body, orelse } = statement
    const endless = test.type === 'Constant' && (test.value === true || test.value === '1')
    this.#looped(body, orelse, () => endless ? 'for (;;) {' : `while (${this.expressions.test(test).text}) {`)
  }

  #own(statement: Statement, target: Expression): 'const' | 'let' | null {
    const own = this.#declarations.own.get(statement)
    const variables = targetsOf(target).filter((name) => target.type === 'Name' || !this.expressions.isUnused(name)).flatMap((name) => this.#program.variables.get(name) ?? [])
    if (own === undefined || variables.length === 0 || !variables.every((variable) => own.has(variable))) return null
    return variables.every((variable) => own.get(variable) === 'const') ? 'const' : 'let'
  }

  #for(statement: For): void {
    const { target, iter, body, orelse } = statement
    const { expressions } = this
    const own = this.#own(statement, target)
    this.#split(statement, target)
    this.#looped(body, orelse, () => {
      const range = iter.type === 'Call' && expressions.pathOf(iter.func) === 'builtins.range' && target.type === 'Name' ? this.#counting(statement, own) : null
      return range ?? `for (${own === null ? '' : `${own} `}${expressions.pattern(target)} of ${expressions.iterable(iter).text}) {`
    })
  }

  /** A target of which only some variables are declared here is declared before. */
  #split(statement: Statement, target: Expression): void {
    const own = this.#declarations.own.get(statement)
    if (own === undefined || this.#own(statement, target) !== null) return
    for (const name of targetsOf(target)) {
      const variable = this.#program.variables.get(name)
      if (variable !== undefined && own.has(variable)) this.#put(`let ${variable.code}!: ${this.expressions.ts(variable.type)}`)
    }
  }

  /** `for i in range(n)`, if nothing in the loop changes `i` or `n`. */
  #counting({ target, iter, body }: For, own: 'const' | 'let' | null): string | null {
    if (own === null || iter.type !== 'Call' || target.type !== 'Name') return null
    const { args } = iter
    const variable = this.#program.variables.get(target)
    if (variable === undefined || own !== 'const' || variable.occurrences.some(({ captured }) => captured) || args.some(({ type }) => type === 'Starred')) return null
    const [start, stop, step] = args.length === 1 ? [null, args[0], null] : [args[0] ?? null, args[1], args[2] ?? null]
    if (stop === undefined || !this.#constant(stop, body)) return null
    const down = step?.type === 'UnaryOp' && step.op === 'USub'
    if (step !== null && !(step.type === 'Constant' || (down && step.operand.type === 'Constant'))) return null
    const size = step === null ? '1' : down ? this.#expression((step as Expression & { type: 'UnaryOp' }).operand) : this.#expression(step)
    const name = variable.code
    const move = size === '1' ? (down ? `${name}--` : `${name}++`) : `${name} ${down ? '-=' : '+='} ${size}`
    return `for (let ${name} = ${start === null ? '0' : this.#expression(start)}; ${name} ${down ? '>' : '<'} ${this.#expression(stop, LEVEL.relation + 1)}; ${move}) {`
  }

  /** Whether an expression has the same value in every round of a loop. */
  #constant(node: Expression, body: readonly Statement[]): boolean {
    const written = new Set<string>()
    let calls = false
    for (const statement of everyStatement(body)) {
      const target = statement.type === 'Assign' ? statement.targets : statement.type === 'AugAssign' || statement.type === 'AnnAssign' || statement.type === 'For' ? [statement.target] : []
      for (const one of target) for (const inner of everyExpression(one)) if (inner.type === 'Name') written.add(inner.id)
    }
    for (const inner of everyExpression(node)) {
      if (inner.type === 'Name') {
        const variable = this.#program.variables.get(inner)
        if (written.has(inner.id) || (variable !== undefined && variable.kind !== 'parameter' && variable.writes > 1)) return false
      } else if (inner.type === 'Attribute') {
        const cls = this.expressions.typeOf(inner.value).of('instance')
        if (cls.length === 0 || [...this.#program.routines.values()].some((routine) => routine.node.type !== 'Lambda' && routine.node.name !== '__init__' && [...everyStatement(routine.node.body)].some((one) => assigns(one, inner.attr)))) return false
      } else if (inner.type === 'Call') calls = true
      else if (!['Constant', 'BinOp'].includes(inner.type)) return false
    }
    return !calls
  }

  #asyncFor(statement: For): void {
    const { target, iter, body, orelse } = statement
    const { expressions } = this
    const type = expressions.typeOf(iter)
    if (!type.only('stream')) {
      this.#problem(statement, 'async for over something other than an asynchronous generator')
      return
    }
    const [stream] = type.of('stream')
    const routine = [...this.#program.routines.values()].find(({ yields }) => yields === stream?.elem)
    if (routine !== undefined && routine.node.type !== 'Lambda' && (breaks(body) || returnsIn(body)) && [...everyStatement(routine.node.body)].some((one) => ['Try', 'TryStar', 'With', 'AsyncWith'].includes(one.type))) {
      this.#problem(statement, 'leaving an asynchronous generator that has something to clean up')
      return
    }
    const own = this.#own(statement, target)
    this.#split(statement, target)
    const source = iter.type === 'Name' ? this.#expression(iter) : 'items'
    const next = `yield* ${expressions.use('next', './python.ts')}(${source})`
    if (iter.type !== 'Name') this.#put(`const items = ${this.#expression(iter)}`)
    const taken = (): string => `${own === null ? '' : `${own} `}${expressions.pattern(target)} = step.value`
    this.#looped(body, orelse, () => `for (let step = ${next}; step.done !== true; step = ${next}) {`, taken)
  }

  // Assignments

  #assign(statement: Assign): void {
    const { targets, value } = statement
    const { expressions } = this
    const [target] = targets
    if (target === undefined) return
    expressions.assigning.clear()
    for (const one of targets) for (const { id } of targetsOf(one)) expressions.assigning.add(id)
    if (value.type === 'Yield') {
      this.#problem(statement, 'a value that is sent into a generator')
      return
    }
    if (targets.length > 1) {
      this.#several(statement)
      return
    }
    const waited = value.type === 'Await' && value.value.type === 'Call' && expressions.pathOf(value.value.func) === 'asyncio.wait'
    if (waited) {
      this.#waited(statement, target, value)
      return
    }
    const before = expressions.problems.length
    this.#assignTo(statement, target, value)
    if (expressions.problems.length > before) {
      for (const name of targetsOf(target)) {
        const variable = this.#program.variables.get(name)
        if (variable !== undefined) expressions.lost.add(variable)
      }
    }
    expressions.assigning.clear()
  }

  /** `done, pending = await asyncio.wait(…)`: two sets by their names. */
  #waited(statement: Assign, target: Expression, value: Expression): void {
    if (target.type !== 'Tuple' || target.elts.length !== 2) {
      this.#problem(statement, 'the result of wait, except as done, pending = …')
      return
    }
    const own = this.#own(statement, target)
    this.#split(statement, target)
    const parts = (['done', 'pending'] as const).flatMap((name, i) => {
      const elt = target.elts[i] as Expression
      if (elt.type === 'Name' && elt.id === '_') return []
      const code = expressionsName(this.#expression(elt))
      return [code === name ? name : `${name}: ${code}`]
    })
    this.expressions.takesSets = true
    const text = `{ ${parts.join(', ')} } = ${this.#expression(value)}`
    this.expressions.takesSets = false
    this.#put(own === null ? `;(${text})` : `${own} ${text}`)
  }

  #several({ targets, value }: Assign): void {
    const simple = value.type === 'Constant' || value.type === 'Name'
    if (!simple) this.#put(`const value = ${this.#expression(value)}`)
    for (const target of targets) {
      if (target.type === 'Name') this.#put(`${this.#expression(target)} = ${simple ? this.#expression(value) : 'value'}`)
      else if (target.type === 'Attribute') this.#put(`${this.#expression(target)} = ${simple ? this.#expression(value) : 'value'}`)
      else this.#problem(target, 'this target of several')
    }
  }

  #assignTo(statement: Assign | AnnAssign, target: Expression, value: Expression): void {
    const { expressions } = this
    const own = this.#own(statement, target)
    if (target.type === 'Name') {
      const variable = this.#program.variables.get(target)
      if (own === null || variable === undefined) {
        this.#put(`${this.#expression(target)} = ${this.#expression(value)}`)
        return
      }
      const text = expressions.ts(variable.type)
      const captured = variable.occurrences.some((one) => one.captured && one.write)
      if (own === 'let' && captured && value.type === 'Constant' && value.kind === 'none') this.#put(`let ${variable.code} = null as ${text}`)
      else if (this.#needsType(own, value, variable.type, text)) this.#put(`${own} ${variable.code}: ${text} = ${this.#expression(value)}`)
      else this.#put(`${own} ${variable.code} = ${this.#expression(value)}`)
      return
    }
    if (target.type === 'Tuple' || target.type === 'List') {
      const places = target.elts.every((elt) => elt.type === 'Name' || elt.type === 'Starred' || elt.type === 'Tuple' || elt.type === 'Attribute'
        || (elt.type === 'Subscript' && expressions.typeOf(elt.value).only('list') && expressions.isNatural(elt.slice)))
      if (!places) {
        this.#problem(statement, 'unpacking into something other than variables')
        return
      }
      this.#split(statement, target)
      const type = expressions.typeOf(value)
      const star = target.elts.findIndex((elt) => elt.type === 'Starred')
      if (star >= 0 && star < target.elts.length - 1) {
        this.#starred(statement, target.elts, star, value, own)
        return
      }
      const grows = value.type === 'Tuple' && value.elts.some((elt) => elt.type === 'BinOp' && elt.op === 'Add' && elt.left.type === 'Name' && elt.right.type === 'Name' && expressions.typeOf(elt).only('nat', 'int'))
      let text = type.unknown ? '' : value.type === 'Tuple' && grows ? `[${value.elts.map((elt) => elt.type === 'BinOp' ? `${expressions.use('exact', './python.ts')}(${this.#expression(elt)})` : this.#expression(elt)).join(', ')}]` : this.#expression(value)
      if (type.unknown) text = expressions.unknown(value, 'it is not known what is unpacked here').text
      else if (value.type !== 'Tuple') text = expressions.present(value).text
      if (own !== null) this.#put(`${own} ${expressions.pattern(target)} = ${text}`)
      else this.#put(`;${this.#places(target)} = ${text}`)
      return
    }
    if (target.type === 'Attribute') {
      this.#put(`${this.#target(target)} = ${this.#expression(value)}`)
      return
    }
    if (target.type === 'Subscript') {
      this.#setItem(target, this.#expression(value))
      return
    }
    this.#problem(statement, 'this assignment')
  }

  /** The left side of an assignment to variables and other places. */
  #places(target: Expression): string {
    if (target.type === 'Tuple' || target.type === 'List') return `[${target.elts.map((elt) => this.#places(elt)).join(', ')}]`
    if (target.type === 'Subscript') return `${this.#expression(target.value, LEVEL.call)}[${this.#expression(target.slice)}]`
    if (target.type === 'Starred') return `...${this.#places(target.value)}`
    return target.type === 'Attribute' ? this.#target(target) : this.expressions.pattern(target)
  }

  /** `*first, last = items`: a star that is not the last. */
  #starred(statement: At, targets: Expression[], star: number, value: Expression, own: 'const' | 'let' | null): void {
    const { expressions } = this
    const tuple = expressions.typeOf(value).of('tuple')
    const size = tuple[0]?.elems.length
    const starred = targets[star] as Expression
    const after = targets.length - star - 1
    if (expressions.isUnused(starred) && size !== undefined && tuple.every(({ elems }) => elems.length === size) && own !== null) {
      const names = Array.from({ length: size }, (_, i) => i < star ? expressions.pattern(targets[i] as Expression) : i >= size - after ? expressions.pattern(targets[targets.length - size + i] as Expression) : '')
      this.#put(`${own} [${names.join(', ')}] = ${this.#expression(value)}`)
      return
    }
    if (own === null || value.type !== 'Name') {
      this.#problem(statement, 'a star that is not the last: take the items one by one')
      return
    }
    const items = this.#expression(value)
    for (const [i, target] of targets.entries()) {
      if (expressions.isUnused(target)) continue
      if (target.type === 'Starred') this.#put(`${own} ${expressions.pattern(target.value)} = ${items}.slice(${star}, -${after})`)
      else this.#put(`${own} ${expressions.pattern(target)} = ${expressions.use('item', './python.ts')}(${items}, ${i < star ? i : i - targets.length})`)
    }
  }

  #target(target: Expression & { type: 'Attribute' }): string {
    const { expressions } = this
    if (!expressions.typeOf(target.value).has('instance', 'class')) return expressions.problem(target, `an attribute of '${target.attr}' of what is not known`).text
    return this.#expression(target)
  }

  #setItem(target: Expression & { type: 'Subscript' }, value: string): void {
    const { expressions } = this
    const type = expressions.typeOf(target.value).without('none')
    if (target.slice.type === 'Slice') this.#problem(target, 'an assignment to a slice')
    else if (type.only('dict')) {
      if (expressions.typeOf(target.slice).has('tuple')) this.#problem(target, 'a tuple as a key: a Map tells two equal ones apart, so join its parts into a string')
      else this.#put(`${expressions.present(target.value, LEVEL.call).text}.set(${this.#expression(target.slice)}, ${value})`)
    } else if (type.only('list', 'deque')) {
      this.#put(`${expressions.use('setItem', './python.ts')}(${expressions.present(target.value).text}, ${this.#expression(target.slice)}, ${value})`)
    } else this.#problem(target, 'an assignment to an item of this')
  }

  /** Whether TypeScript would make too little of the first value. */
  #needsType(own: 'const' | 'let', value: Expression, type: Type, text: string): boolean {
    if (text === 'any') return ['List', 'Dict', 'Set'].includes(value.type)
    if (value.type === 'List' || value.type === 'ListComp') {
      if (value.type === 'List' && value.elts.length === 0) return true
      return /[|[]/.test(text.replace(/\[\]$/, '')) || /^\(/.test(text)
    }
    if (value.type === 'Tuple') return true
    if (value.type === 'Call' && this.expressions.typeOf(value).has('deque', 'list') && value.args.length === 0) return true
    if (own === 'let') return !SIMPLE.has(text) || value.type === 'Constant' && value.kind === 'none'
    return false
  }

  #annotated(statement: AnnAssign): void {
    if (statement.value !== null) this.#assignTo(statement, statement.target, statement.value)
  }

  #augmented(statement: AugAssign): void {
    const { target, op, value } = statement
    const { expressions } = this
    const type = expressions.typeOf(target)
    if (op === 'Add' && type.only('list', 'deque')) {
      this.#put(`${this.#expression(target)}.push(...${expressions.iterable(value).text})`)
      return
    }
    expressions.assigning.clear()
    if (target.type === 'Name') expressions.assigning.add(target.id)
    const whole = expressions.expression({ ...at(statement), type: 'BinOp', left: target, op, right: value }).text
    const made: Expression = { ...at(statement), type: 'BinOp', left: target, op, right: value }
    this.#infer.types.set(made, this.#infer.binary(made, op, expressions.typeOf(target), expressions.typeOf(value)))
    const code = whole === '' ? '' : expressions.expression(made).text
    expressions.assigning.clear()
    if (target.type === 'Subscript' && target.slice.type !== 'Slice') {
      this.#setItem(target, code)
      return
    }
    const left = target.type === 'Attribute' ? this.#target(target) : this.#expression(target)
    const sign = { Add: '+', Sub: '-', Mult: '*', Div: '/' }[op as 'Add']
    const short = sign !== undefined && code.startsWith(`${left} ${sign} `) && !code.startsWith(`${left} ${sign} -`)
    this.#put(short ? `${left} ${sign}= ${this.#augmentedValue(value, op)}` : `${left} = ${code}`)
  }

  #augmentedValue(value: Expression, op: AugAssign['op']): string {
    void op
    const type = this.expressions.typeOf(value)
    return type.has('bool') ? `Number(${this.#expression(value)})` : this.expressions.present(value).text
  }

  // with

  #with(statement: With, index: number): void {
    const item = statement.items[index]
    if (item === undefined) {
      this.block(statement.body)
      return
    }
    const { expressions } = this
    const { context_expr: value } = item
    const type = expressions.typeOf(value)
    const [first] = type.without('none').atoms
    const rest = (): void => {
      const outer = this.#indent
      this.#indent = `${outer}  `
      this.#with(statement, index + 1)
      this.#indent = outer
    }
    if (first?.kind === 'object' && LOCKS.has(first.name)) {
      // The end of a block releases it: the last statement needs no block of its own.
      const last = (index > 0 || this.#lastInBlock === statement) && this.#indent !== ''
      if (!last) this.#put('{')
      const name = this.#held()
      this.#put(`${last ? '' : '  '}using ${name} = yield* ${expressions.present(value, LEVEL.call).text}.guard()`)
      if (last) this.#with(statement, index + 1)
      else {
        rest()
        this.#put('}')
      }
      return
    }
    if (first?.kind === 'object' && first.name === 'Barrier') {
      this.#scope(statement, item, `${expressions.present(value, LEVEL.call).text}.with(`, rest)
      return
    }
    if (first?.kind === 'object' && ['Timeout', 'TaskGroup'].includes(first.name)) {
      const path = value.type === 'Call' ? expressions.pathOf(value.func) : null
      if (value.type !== 'Call' || path === null) {
        this.#problem(value, 'a timeout or a TaskGroup that is made elsewhere')
        return
      }
      const name = camelCase(path.slice(path.lastIndexOf('.') + 1)).replace(/^TaskGroup$/, 'taskGroup')
      const given = value.args[0] ?? value.keywords[0]?.value
      this.#scope(statement, item, `${expressions.use(name)}(${given === undefined ? '' : `${this.#expression(given)}, `}`, rest)
      return
    }
    if (first?.kind === 'context') {
      if (!expressions.insideCoroutine) {
        this.#problem(value, 'a context manager outside a coroutine')
        return
      }
      const call = this.#expression(value, LEVEL.call).replace(/\)$/, '')
      const manager = [...this.#program.routines.values()].find(({ yields }) => yields === first.result)
      const takes = manager !== undefined && manager.node.type !== 'Lambda' && [...everyStatement(manager.node.body)].some((one) => one.type === 'Try' && one.handlers.some((handler) => fallsThrough(handler.body)))
      this.#scope(statement, item, `${call}${call.endsWith('(') ? '' : ', '}`, rest, this.#padding(value), takes)
      return
    }
    if (first?.kind === 'object' && first.name === 'suppress' && value.type === 'Call') {
      this.#put('try {')
      rest()
      this.#put('} catch (error) {')
      const classes: Expression = { ...at(value), type: 'Tuple', elts: value.args }
      this.#put(`  if (!(${expressions.instanceOf(tight('error'), classes).text})) throw error`)
      this.#put('}')
      return
    }
    if (first?.kind === 'instance') {
      this.#managed(statement, item, first.cls, rest)
      return
    }
    this.#problem(value, `with ${expressions.typeOf(value).unknown ? 'something that is not known' : 'this'}`)
  }

  /** Arguments that were left out, before the body. */
  #padding(value: Expression): string {
    if (value.type !== 'Call') return ''
    const [atom] = this.expressions.typeOf(value.func).of('routine')
    if (atom === undefined) return ''
    const wanted = parametersOf(atom.routine.node).length - (atom.self === null ? 0 : 1)
    const given = value.args.length + value.keywords.length
    return 'undefined, '.repeat(Math.max(0, wanted - given))
  }

  #held(): string {
    const names = ['held', 'held2', 'held3', 'held4']
    const indent = this.#indent.length
    const around = this.lines.filter(({ text }) => /^\s*using held/.test(text)).filter(({ text }) => (/^\s*/.exec(text)?.[0].length ?? 0) <= indent).length
    return names[Math.min(around === 0 ? 0 : this.#nesting(), names.length - 1)] as string
  }

  /** How many guards are open around this line. */
  #nesting(): number {
    let open = 0
    let indent = this.#indent.length
    for (let i = this.lines.length - 1; i >= 0; i--) {
      const text = this.lines[i]?.text ?? ''
      if (text === '') continue
      const depth = /^\s*/.exec(text)?.[0].length ?? 0
      if (depth < indent) indent = depth
      if (depth === indent && /^\s*using held/.test(text)) open++
    }
    return open
  }

  /** A scope whose body is a function: what leaves the body early is passed on behind it. */
  #scope(statement: With, item: WithItem, head: string, rest: () => void, padding = '', takes = false): void {
    const { expressions } = this
    const { body } = statement
    const returns = returnsIn(body)
    const jumps = jumpsIn(body)
    // A manager that takes errors away goes on behind the body.
    const whole = !fallsThrough(body) && returns && jumps.size === 0 && !takes
    if (returns && jumps.size > 0) {
      this.#problem(statement, 'a body that returns and also leaves a loop')
      return
    }
    const { optional_vars: target } = item
    let parameter = ''
    let assigned: string | null = null
    if (target !== null) {
      const own = this.#own(statement, target)
      if (target.type !== 'Name') this.#problem(target, 'a target like this')
      else if (own === null) {
        parameter = 'scope'
        assigned = this.#expression(target)
      } else parameter = this.#expression(target)
    }
    const result = this.#resultName(statement)
    const lead = whole ? 'return ' : returns || jumps.size > 0 ? `const ${result} = ` : ''
    this.#put(`${lead}yield* ${head}${padding}function* (${parameter}) {`)
    if (assigned !== null) this.#put(`  ${assigned} = scope`)
    expressions.depth++
    this.#bodies++
    rest()
    this.#bodies--
    expressions.depth--
    this.#put('})')
    if (whole) return
    if (returns) {
      const routine = expressions.routines.at(-1)
      const isVoid = routine !== undefined && routine.node.type !== 'Lambda' && !returnsValue(routine.node.body) && this.#bodies === 0
      this.#put(`if (${result} !== undefined) return${isVoid ? '' : ` ${result}`}`)
    }
    for (const jump of jumps) {
      if (this.#loops.at(-1)?.bodies === this.#bodies) this.#put(`if (${result} === '${jump}') ${jump}`)
      else this.#put(`if (${result} === '${jump}') return '${jump}'`)
    }
  }

  #resultName(statement: With): string {
    void statement
    return this.#bodies === 0 ? 'result' : `result${this.#bodies + 1}`
  }

  /** An object with __aenter__ and __aexit__. */
  #managed(statement: With, item: WithItem, cls: ClassInfo, rest: () => void): void {
    const { expressions } = this
    const { context_expr: value, optional_vars: target } = item
    const enter = this.#infer.method(cls, '__aenter__') ?? this.#infer.method(cls, '__enter__')
    const exit = this.#infer.method(cls, '__aexit__') ?? this.#infer.method(cls, '__exit__')
    if (enter === null || exit === null) {
      this.#problem(value, 'an object without __enter__ and __exit__')
      return
    }
    if (exit.returns.has('bool') && exit.node.type !== 'Lambda' && [...everyStatement(exit.node.body)].some((one) => one.type === 'Return' && one.value !== null && !(one.value.type === 'Constant' && one.value.value === false))) {
      this.#problem(value, 'an __exit__ that takes errors away')
      return
    }
    const awaits = (routine: Routine): string => routine.isAsync ? 'yield* ' : ''
    let manager = this.#expression(value, LEVEL.call)
    const names = parametersOf(exit.node).slice(1).map(({ arg }) => exit.scope.own(arg))
    const used = names.some(({ occurrences }) => occurrences.length > 0)
    const indent = this.#indent
    this.#put('{')
    this.#indent = `${indent}  `
    if (value.type !== 'Name') {
      this.#put(`const manager = ${this.#expression(value)}`)
      manager = 'manager'
    }
    const entered = `${awaits(enter)}${manager}.enter()`
    if (target === null) this.#put(entered)
    else {
      const own = this.#own(statement, target)
      this.#put(`${own === null ? '' : `${own} `}${expressions.pattern(target)} = ${entered}`)
    }
    if (used) this.#put('let failure: unknown = null')
    this.#put('try {')
    rest()
    if (used) {
      this.#put('} catch (error) {')
      this.#put('  failure = error')
      this.#put('  throw error')
    }
    this.#put('} finally {')
    this.#put(`  ${awaits(exit)}${manager}.exit(${used ? 'failure?.constructor ?? null, failure, null'.replace('failure?.', '(failure as Error | null)?.') : names.map(() => 'null').join(', ')})`)
    this.#put('}')
    this.#indent = indent
    this.#put('}')
  }

  // try and raise

  #try(statement: Try): void {
    const { body, handlers, orelse, finalbody } = statement
    const outer = this.#indent
    // What `else` does is not protected by the handlers, but by `finally`.
    const nested = orelse.length > 0 && finalbody.length > 0
    const sure = handlers.every((handler) => !fallsThrough(handler.body))
    if (nested) {
      this.#put('try {')
      this.#indent = `${outer}  `
    }
    if (orelse.length > 0 && !sure) this.#put('let failed = true')
    this.#put('try {')
    this.#inner(body)
    if (orelse.length > 0 && !sure) this.#put('  failed = false')
    if (handlers.length > 0) this.#handlers(statement)
    if (finalbody.length > 0 && !nested) {
      this.#put('} finally {')
      this.#inner(finalbody)
    }
    this.#put('}')
    if (orelse.length > 0) {
      if (sure) this.block(orelse)
      else {
        this.#put('if (!failed) {')
        this.#inner(orelse)
        this.#put('}')
      }
    }
    if (nested) {
      this.#indent = outer
      this.#put('} finally {')
      this.#inner(finalbody)
      this.#put('}')
    }
  }

  #handlers(statement: Try): void {
    const { expressions } = this
    const { handlers } = statement
    const named = handlers.find(({ name }) => name !== null)
    const scope = this.expressions.routines.at(-1)?.scope ?? this.#program.module
    // A variable of that name would be hidden.
    const free = ['error', 'thrown', 'problem'].find((one) => scope.find(one) === null || statement.handlers.some((handler) => handler.name === one)) ?? 'error_'
    const name = named === undefined ? free : (this.#program.variables.get(named)?.code ?? free)
    for (const handler of handlers) {
      const variable = this.#program.variables.get(handler)
      if (variable !== undefined) variable.code = name
    }
    if (statement.type === 'TryStar') {
      this.#groups(handlers, name)
      return
    }
    const [only] = handlers
    const isClass = (handler: Handler, wanted: string): boolean => handler.of !== null && handler.of.type !== 'Tuple' && expressions.typeOf(handler.of).of('errorClass').some((atom) => atom.name === wanted)
    const catchesAll = (handler: Handler): boolean => handler.of === null || isClass(handler, 'BaseException')
    const used = handlers.some((handler) => handler.name !== null || usesCaught(handler.body)) || handlers.length > 1 || (only !== undefined && !catchesAll(only))
    this.#from = only?.line ?? this.#from
    this.#put(used ? `} catch (${name}) {` : '} catch {')
    expressions.caught.push(name)
    const outer = this.#indent
    this.#indent = `${outer}  `
    if (handlers.length === 1 && only !== undefined) {
      if (isClass(only, 'Exception')) this.#put(`${expressions.use('rethrowCancelled')}(${name})`)
      else if (!catchesAll(only) && only.of !== null) this.#put(`if (!(${expressions.instanceOf(tight(name), only.of).text})) throw ${name}`)
      this.#caughtType(only, name)
      this.block(only.body)
    } else {
      let head = 'if'
      let all = false
      for (const handler of handlers) {
        this.#from = handler.line
        this.#commentsBefore(handler.line)
        const open = head === 'if' ? '' : '} else '
        if (catchesAll(handler)) {
          all = true
          this.#put(open === '' ? '{' : '} else {')
        } else this.#put(`${open}if (${expressions.instanceOf(tight(name), handler.of as Expression).text}) {`)
        head = 'else'
        const indent = this.#indent
        this.#indent = `${indent}  `
        this.#caughtType(handler, name)
        this.block(handler.body)
        this.#indent = indent
        if (all) break
      }
      if (all) this.#put('}')
      else this.#put(`} else throw ${name}`)
    }
    this.#indent = outer
    expressions.caught.pop()
  }

  /** What TypeScript does not know about the caught error by itself. */
  #caughtType(handler: Handler, name: string): void {
    const variable = this.#program.variables.get(handler)
    if (variable === undefined) return
    const all = handler.of === null || [...this.expressions.typeOf(handler.of).atoms].some((atom) => atom.kind === 'errorClass' && ['Exception', 'BaseException'].includes(atom.name))
    if (!all) return
    // Printing takes anything; everything else wants an error.
    const printed = new Set<Expression>()
    const used: Expression[] = []
    for (const statement of everyStatement(handler.body)) {
      for (const expression of expressionsOf(statement)) {
        for (const part of everyExpression(expression)) {
          if (part.type === 'FormattedValue') printed.add(part.value)
          if (part.type === 'Call' && part.func.type === 'Name' && ['print', 'str', 'repr', 'isinstance', 'type'].includes(part.func.id)) for (const arg of part.args) printed.add(arg)
          if (part.type === 'Name' && part.id === handler.name && statement.type !== 'Raise') used.push(part)
        }
      }
    }
    if (used.some((part) => !printed.has(part))) this.#put(`if (!(${name} instanceof Error)) throw ${name}`)
  }

  #groups(handlers: Handler[], name: string): void {
    const { expressions } = this
    const scope = expressions.routines.at(-1)?.scope ?? this.#program.module
    const thrown = scope.find('error') === null && name !== 'error' ? 'error' : 'thrown'
    this.#put(`} catch (${thrown}) {`)
    const indent = this.#indent
    this.#indent = `${indent}  `
    let rest = thrown
    for (const [i, handler] of handlers.entries()) {
      if (returnsIn(handler.body) || jumpsIn(handler.body).size > 0 || [...everyStatement(handler.body)].some(({ type }) => type === 'Raise')) this.#problem(handler, 'except* that raises')
      const taken = i === 0 ? name === 'error' ? 'group' : name : `${name === 'error' ? 'group' : name}${i + 1}`
      const left = `rest${i === 0 ? '' : i + 1}`
      const variable = this.#program.variables.get(handler)
      if (variable !== undefined) variable.code = taken
      this.#put(`const [${taken}, ${left}] = ${expressions.use('split', './python.ts')}(${rest}, (each) => ${expressions.instanceOf(tight('each'), handler.of as Expression).text})`)
      this.#put(`if (${taken} !== null) {`)
      this.#inner(handler.body)
      this.#put('}')
      rest = left
    }
    this.#put(`if (${rest} !== null) throw ${rest}`)
    this.#indent = indent
  }

  #raise(error: Expression | null, cause: Expression | null, node: At): void {
    const { expressions } = this
    if (error === null) {
      const caught = expressions.caught.at(-1)
      if (caught === undefined) this.#problem(node, 'raise without an error outside except')
      else this.#put(`throw ${caught}`)
      return
    }
    const isClass = expressions.typeOf(error).only('class', 'errorClass')
    let text = isClass ? `new ${this.#expression(error, LEVEL.call)}()` : this.#expression(error)
    const real = cause !== null && !(cause.type === 'Constant' && cause.kind === 'none') ? this.#expression(cause) : null
    if (real !== null) {
      const builtin = error.type === 'Call' && expressions.typeOf(error.func).only('errorClass')
      const own = expressions.typeOf(error).of('instance').some(({ cls }) => this.#infer.method(cls, '__init__') !== null)
      if (builtin || (!own && text.startsWith('new '))) text = `${text.slice(0, -1)}${text.endsWith('()') ? "''" : ''}, { cause: ${real} })`
      else text = `Object.assign(${text}, { cause: ${real} })`
    }
    this.#put(`throw ${text}`)
  }
}

function at({ line, column, endLine }: At): At {
  return { line, column, endLine }
}

function expressionsName(text: string): string {
  return text
}

function firstLine(statement: Statement): number {
  return 'decorator_list' in statement && statement.decorator_list[0] !== undefined ? statement.decorator_list[0].line : statement.line
}

export function isDocstring(statement: Statement): boolean {
  return statement.type === 'Expr' && statement.value.type === 'Constant' && statement.value.kind === 'str'
}

/** `__name__ == '__main__'` */
export function isMainGuard(test: Expression): boolean {
  return test.type === 'Compare' && test.left.type === 'Name' && test.left.id === '__name__'
}

function assignedIn(node: ClassDef, name: string): Expression | null {
  for (const statement of node.body) {
    if (statement.type === 'Assign' && statement.targets.some((target) => target.type === 'Name' && target.id === name)) return statement.value
    if (statement.type === 'AnnAssign' && statement.target.type === 'Name' && statement.target.id === name) return statement.value
  }
  return null
}

function assigns(statement: Statement, attribute: string): boolean {
  const targets = statement.type === 'Assign' ? statement.targets : statement.type === 'AugAssign' || statement.type === 'AnnAssign' ? [statement.target] : []
  return targets.some((target) => target.type === 'Attribute' && target.attr === attribute)
}

function assignsSelf(statement: Statement, name: string): boolean {
  return (statement.type === 'Assign' || statement.type === 'AnnAssign') && assigns(statement, name)
}

function returnsIn(body: readonly Statement[]): boolean {
  for (const { type } of everyStatement(body)) if (type === 'Return') return true
  return false
}

/** The jumps in a block that leave a loop around it. */
function jumpsIn(body: readonly Statement[]): Set<'break' | 'continue'> {
  const found = new Set<'break' | 'continue'>()
  const look = (block: readonly Statement[]): void => {
    for (const statement of block) {
      if (statement.type === 'Break') found.add('break')
      else if (statement.type === 'Continue') found.add('continue')
      else if (!['For', 'AsyncFor', 'While'].includes(statement.type)) blocksOf(statement).forEach(look)
    }
  }
  look(body)
  return found
}

function usesCaught(body: readonly Statement[]): boolean {
  for (const statement of everyStatement(body)) if (statement.type === 'Raise' && statement.exc === null) return true
  return false
}

export { TYPES }
