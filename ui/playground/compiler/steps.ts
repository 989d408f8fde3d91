// Puts a call before every statement of the program, so that it can be stepped by line, and around its functions, so that
// the thread knows which function was called from which. No call yields or awaits: the program's order is its own.
import ts from 'typescript'
import { Hooks } from './hooks.ts'

/** The most variables of one block that can be looked at. */
const MOST_NAMES = 100

interface Place {
  /** The variables that can be seen here: `[() => ['a', () => a], outer]`. */
  scope: ts.Expression
  /** The line of the last call that every way to here has passed; 0 without one. */
  line: number
}

type Body = ts.FunctionLikeDeclaration & { body: ts.ConciseBody }

/** For `before` in a transformation. Adds to `lines` those at which the program can stop, from 1. */
export function stepLines(lines: Set<number>): ts.TransformerFactory<ts.SourceFile> {
  return (context) => (source) => new Stepper(context, source, lines).module()
}

class Stepper {
  readonly #context: ts.TransformationContext
  readonly #factory: ts.NodeFactory
  readonly #source: ts.SourceFile
  readonly #lines: Set<number>
  readonly #hooks: Hooks
  /** One name for all: each function has its own variable, and calls the hooks with the nearest. */
  readonly #frame: ts.Identifier

  constructor(context: ts.TransformationContext, source: ts.SourceFile, lines: Set<number>) {
    this.#context = context
    this.#factory = context.factory
    this.#source = source
    this.#lines = lines
    this.#hooks = new Hooks(context.factory)
    this.#frame = this.#hooks.unique('frame')
  }

  module(): ts.SourceFile {
    const { statements } = this.#source
    const nothing = this.#factory.createNull()
    const [declared, scope] = this.#scope([...varNames(statements), ...blockNames(statements)], nothing)
    const list = [this.#enter('', nothing), ...declared, ...this.#list(statements, { scope, line: 0 }), this.#leave()]
    return this.#hooks.importInto(this.#factory.updateSourceFile(this.#source, list))
  }

  readonly #visit = (node: ts.Node, at: Place): ts.Node => {
    const factory = this.#factory
    if (isFunctionWithBody(node)) return this.#function(node, at)
    if (ts.isModuleBlock(node)) return this.#children(node, at)
    if (ts.isBlock(node)) return factory.updateBlock(node, this.#block(node.statements, at))
    if (ts.isIfStatement(node)) {
      return factory.updateIfStatement(node, this.#expression(node.expression, at), this.#branch(node.thenStatement, at), node.elseStatement && this.#branch(node.elseStatement, at))
    }
    if (ts.isIterationStatement(node, false)) return this.#loop(node, at)
    if (ts.isCaseBlock(node)) return this.#cases(node, at)
    if (ts.isCatchClause(node)) {
      const names = node.variableDeclaration === undefined ? [] : namesOf(node.variableDeclaration.name)
      return factory.updateCatchClause(node, node.variableDeclaration && this.#visit(node.variableDeclaration, at) as ts.VariableDeclaration,
        factory.updateBlock(node.block, this.#block(node.block.statements, { ...at, line: 0 }, names)))
    }
    // `yield*` keeps its frame: the coroutine that it awaits is called from here.
    if (ts.isYieldExpression(node) && node.asteriskToken !== undefined) return this.#back(this.#children(node, at))
    if (ts.isYieldExpression(node)) return this.#back(factory.updateYieldExpression(node, undefined, this.#out(node.expression, at)))
    if (ts.isAwaitExpression(node)) return this.#back(factory.updateAwaitExpression(node, this.#out(node.expression, at)))
    return this.#children(node, at)
  }

  #children<T extends ts.Node>(node: T, at: Place): T {
    return ts.visitEachChild(node, (child) => this.#visit(child, at), this.#context)
  }

  #expression(node: ts.Expression, at: Place): ts.Expression {
    return this.#visit(node, at) as ts.Expression
  }

  /** A function's parameters belong to the code around it, its body does not. */
  #function(node: Body, outer: Place): ts.Node {
    return ts.visitEachChild(node, (child) => child === node.body ? this.#body(node, outer.scope) : this.#visit(child, { ...outer, line: 0 }), this.#context)
  }

  #body(node: Body, outer: ts.Expression): ts.ConciseBody {
    const { body } = node
    const factory = this.#factory
    if (ts.isBlock(body) && body.statements.length === 0) return body
    const statements = ts.isBlock(body) ? body.statements : factory.createNodeArray<ts.Statement>()
    const names = [...hasThis(node) ? ['this'] : [], ...node.parameters.flatMap(({ name }) => namesOf(name)).filter((name) => name !== 'this'), ...varNames(statements), ...blockNames(statements)]
    const [declared, scope] = this.#scope(names, outer)
    const place = { scope, line: 0 }
    const list = [...declared, ...ts.isBlock(body)
      ? this.#list(statements, place)
      : [this.#stop(this.#lineOf(body), scope), factory.createReturnStatement(this.#expression(body, place))]]
    const enter = this.#enter(nameOf(node), outer)
    // A function's outermost level allows declarations that a block does not.
    const guarded = declaredTwice(statements) ? list : [factory.createTryStatement(factory.createBlock(list, true), undefined, factory.createBlock([this.#leave()]))]
    return ts.setTextRange(factory.createBlock([enter, ...guarded], true), body)
  }

  /** The statements of a block, with its variables and those of its head. */
  #block(statements: ts.NodeArray<ts.Statement>, at: Place, head: readonly string[] = []): ts.Statement[] {
    const [declared, scope] = this.#scope([...head, ...blockNames(statements)], at.scope)
    return [...declared, ...this.#list(statements, { ...at, scope })]
  }

  #list(statements: readonly ts.Statement[], at: Place): ts.Statement[] {
    let { line } = at
    return statements.flatMap((statement) => {
      const here = this.#lineOf(statement)
      const stops = isStop(statement) && here !== line
      if (stops) line = here
      const visited = this.#visit(statement, { scope: at.scope, line }) as ts.Statement
      return stops ? [this.#stop(here, at.scope), visited] : [visited]
    })
  }

  /** A statement that need not be a block. */
  #branch(statement: ts.Statement, at: Place, head: readonly string[] = []): ts.Statement {
    const statements = ts.isBlock(statement) ? statement.statements : this.#factory.createNodeArray([statement])
    return ts.setTextRange(this.#factory.createBlock(this.#block(statements, at, head), true), statement)
  }

  /** Each round stops at least once, even if the loop is in one line or its body is empty. */
  #loop(node: ts.IterationStatement, at: Place): ts.Statement {
    const factory = this.#factory
    const line = this.#lineOf(node)
    if (ts.isWhileStatement(node)) {
      const condition = factory.createComma(this.#at(line, at.scope), this.#expression(node.expression, at))
      return factory.updateWhileStatement(node, condition, this.#branch(node.statement, { ...at, line }))
    }
    if (ts.isDoStatement(node)) {
      const condition = factory.createComma(this.#at(this.#lineOf(node.expression), at.scope), this.#expression(node.expression, at))
      return factory.updateDoStatement(node, this.#branch(node.statement, { ...at, line: 0 }), condition)
    }
    const { initializer } = node as ts.ForStatement | ts.ForInOrOfStatement
    const head = initializer !== undefined && ts.isVariableDeclarationList(initializer) && isBlockScoped(initializer)
      ? initializer.declarations.flatMap(({ name }) => namesOf(name))
      : []
    if (ts.isForStatement(node)) {
      const call = this.#at(line, head.length === 0 ? at.scope : this.#level(head, at.scope))
      const incrementor = node.incrementor === undefined ? call : factory.createComma(call, this.#expression(node.incrementor, at))
      return factory.updateForStatement(node, node.initializer && this.#visit(node.initializer, at) as ts.ForInitializer,
        node.condition && this.#expression(node.condition, at), incrementor, this.#branch(node.statement, { ...at, line }, head))
    }
    const { initializer: each, expression, statement } = node as ts.ForInOrOfStatement
    const [first] = ts.isBlock(statement) ? statement.statements : [statement]
    const [declared, scope] = this.#scope(head, at.scope)
    const stop = first !== undefined && isStop(first) ? [] : [this.#stop(line, scope)]
    const body = factory.createBlock([...declared, ...stop, this.#branch(statement, { scope, line: 0 })], true)
    const visited = this.#visit(each, at) as ts.ForInitializer
    return ts.isForOfStatement(node)
      ? factory.updateForOfStatement(node, node.awaitModifier, visited, this.#expression(expression, at), body)
      : factory.updateForInStatement(node as ts.ForInStatement, visited, this.#expression(expression, at), body)
  }

  /** The clauses of a `switch` share one block, and any of them may be the first that runs: no variable can contain its scope. */
  #cases(node: ts.CaseBlock, at: Place): ts.CaseBlock {
    const factory = this.#factory
    const names = node.clauses.flatMap(({ statements }) => blockNames(statements))
    const scope = names.length === 0 ? at.scope : this.#level(names, at.scope)
    return factory.updateCaseBlock(node, node.clauses.map((clause) => {
      const list = this.#list(clause.statements, { scope, line: 0 })
      return ts.isCaseClause(clause) ? factory.updateCaseClause(clause, this.#expression(clause.expression, at), list) : factory.updateDefaultClause(clause, list)
    }))
  }

  /** The variable that contains the scope, if these names make it another than `outer`. */
  #scope(names: readonly string[], outer: ts.Expression): [declared: ts.Statement[], scope: ts.Expression] {
    if (names.length === 0) return [[], outer]
    const scope = this.#hooks.unique('scope')
    return [[this.#constant(scope, this.#level(names, outer))], scope]
  }

  /** `[() => ['a', () => a, 'b', () => b], outer]`: each variable is read by itself, because some may not be initialized yet. */
  #level(names: readonly string[], outer: ts.Expression): ts.Expression {
    const factory = this.#factory
    const pairs = [...new Set(names)].slice(-MOST_NAMES).flatMap((name) => [factory.createStringLiteral(name), this.#arrow(name === 'this' ? factory.createThis() : factory.createIdentifier(name))])
    return factory.createArrayLiteralExpression([this.#arrow(factory.createArrayLiteralExpression(pairs)), outer])
  }

  #arrow(value: ts.Expression): ts.Expression {
    return this.#factory.createArrowFunction(undefined, undefined, [], undefined, undefined, value)
  }

  #constant(name: ts.Identifier, value: ts.Expression): ts.Statement {
    const factory = this.#factory
    return factory.createVariableStatement(undefined, factory.createVariableDeclarationList([factory.createVariableDeclaration(name, undefined, undefined, value)], ts.NodeFlags.Const))
  }

  #at(line: number, scope: ts.Expression): ts.Expression {
    this.#lines.add(line)
    return this.#hooks.call('at', this.#frame, this.#factory.createNumericLiteral(line), scope)
  }

  #stop(line: number, scope: ts.Expression): ts.Statement {
    return this.#factory.createExpressionStatement(this.#at(line, scope))
  }

  #enter(name: string, outer: ts.Expression): ts.Statement {
    return this.#constant(this.#frame, this.#hooks.call('enter', this.#factory.createStringLiteral(name), outer))
  }

  #leave(): ts.Statement {
    return this.#factory.createExpressionStatement(this.#hooks.call('leave', this.#frame))
  }

  /** The operand of `await` or `yield`: after it, the code around this function runs on. */
  #out(operand: ts.Expression | undefined, at: Place): ts.Expression {
    return this.#hooks.call('leave', this.#frame, ...operand === undefined ? [] : [this.#expression(operand, at)])
  }

  #back(value: ts.Expression): ts.Expression {
    return this.#hooks.call('back', this.#frame, value)
  }

  #lineOf(node: ts.Node): number {
    return this.#source.getLineAndCharacterOfPosition(node.getStart(this.#source)).line + 1
  }
}

function isFunctionWithBody(node: ts.Node): node is Body {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined
}

function hasThis(node: ts.Node): boolean {
  return ts.isMethodDeclaration(node) || ts.isAccessor(node) || ts.isConstructorDeclaration(node)
}

/** Whether the program stops before it. A `while` stops at its condition, in every round. */
function isStop(statement: ts.Statement): boolean {
  if (ts.isLabeledStatement(statement)) return isStop(statement.statement)
  if (isDeclared(statement)) return false
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.some(({ initializer }) => initializer !== undefined)
  return ts.isExpressionStatement(statement) || ts.isReturnStatement(statement) || ts.isThrowStatement(statement) || ts.isIfStatement(statement)
    || ts.isForStatement(statement) || ts.isForOfStatement(statement) || ts.isForInStatement(statement) || ts.isSwitchStatement(statement)
    || ts.isBreakOrContinueStatement(statement) || ts.isClassDeclaration(statement) || ts.isExportAssignment(statement) || ts.isDebuggerStatement(statement)
}

/** Whether it exists for types alone: `declare const x: number`. */
function isDeclared(node: ts.Node): boolean {
  return ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword) === true
}

function isBlockScoped({ flags }: ts.VariableDeclarationList): boolean {
  return (flags & ts.NodeFlags.BlockScoped) !== 0
}

function namesOf(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text]
  return name.elements.flatMap((element) => ts.isOmittedExpression(element) ? [] : namesOf(element.name))
}

/** What `let`, `const` and `using` declare in this block itself. */
function blockNames(statements: readonly ts.Statement[]): string[] {
  return statements.flatMap((statement) => {
    if (!ts.isVariableStatement(statement) || !isBlockScoped(statement.declarationList) || isDeclared(statement)) return []
    return statement.declarationList.declarations.flatMap(({ name }) => namesOf(name))
  })
}

/** What `var` declares anywhere in a function. */
function varNames(statements: readonly ts.Statement[]): string[] {
  const names: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node) || ts.isModuleDeclaration(node) || isDeclared(node)) return
    if (ts.isVariableDeclarationList(node) && !isBlockScoped(node)) names.push(...node.declarations.flatMap(({ name }) => namesOf(name)))
    ts.forEachChild(node, visit)
  }
  statements.forEach(visit)
  return names
}

/** Whether a function of these statements has the name of another one or of a `var`. */
function declaredTwice(statements: readonly ts.Statement[]): boolean {
  const functions = statements.flatMap((statement) => ts.isFunctionDeclaration(statement) && statement.body !== undefined && statement.name !== undefined ? [statement.name.text] : [])
  const names = new Set(functions)
  return names.size < functions.length || (names.size > 0 && varNames(statements).some((name) => names.has(name)))
}

/** The function's name as a reader would say it; '' if it has none. */
function nameOf(node: ts.FunctionLikeDeclaration): string {
  if (ts.isConstructorDeclaration(node)) return 'constructor'
  const { parent } = node
  const name = node.name ?? (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent) ? parent.name : undefined)
  return name !== undefined && (ts.isIdentifier(name) || ts.isPrivateIdentifier(name) || ts.isStringLiteral(name)) ? name.text : ''
}
