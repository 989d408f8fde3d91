// Decides by type whether an expression is a coroutine. The mark is the branded `Suspension` in what its `next()` yields:
// tasks, futures and other generators never have it, and a subclass or alias always does.
import type { Rule, SourceCode } from 'eslint'
import type { Node } from 'estree'
import type ts from 'typescript'
import { isCall } from './positions.ts'

interface TypedServices {
  program: ts.Program
  esTreeNodeToTSNodeMap: { get(node: Node): ts.Node }
}

/** 'idle': a generator that yields nothing at all. It may be a coroutine that waits for nothing; its type does not show it. */
export type Kind = 'coroutine' | 'idle' | 'other'

export class CoroutineTypes {
  private readonly services: TypedServices
  private readonly checker: ts.TypeChecker
  private readonly kinds = new WeakMap<ts.Type, Kind>()

  constructor(services: TypedServices) {
    this.services = services
    this.checker = services.program.getTypeChecker()
  }

  /** What the expression's value is; for a union, what any member is. */
  kindOf(expression: Node): Kind {
    return this.kindOfType(this.checker.getTypeAtLocation(this.tsNode(expression)))
  }

  /** Whether the value is a coroutine in any case: no part of its type is anything else. `idle` counts for a call only. */
  isAlwaysCoroutine(expression: Node): boolean {
    const all = parts(this.checker.getTypeAtLocation(this.tsNode(expression)))
    return all.every((type) => this.kindOfType(type) === 'coroutine' || (this.kindOfType(type) === 'idle' && isCall(expression)))
  }

  /** Whether `yield*` can await the value in any case: it is a coroutine, a task or a future. */
  isAlwaysAwaitable(expression: Node): boolean {
    return parts(this.checker.getTypeAtLocation(this.tsNode(expression))).every((type) => this.yieldTypes(type).some((part) => this.isSuspension(part)))
  }

  /** Whether the value is a promise: it has `then`, and cannot be iterated. */
  isPromise(expression: Node): boolean {
    const all = parts(this.checker.getTypeAtLocation(this.tsNode(expression)))
    return all.every((type) => type.getProperty('then') !== undefined && this.iteratorOf(type) === undefined)
  }

  /** What the items of an array or tuple are. */
  kindOfItems(expression: Node): Kind {
    const item = this.checker.getTypeAtLocation(this.tsNode(expression)).getNumberIndexType()
    return item === undefined ? 'other' : this.kindOfType(item)
  }

  /** Whether the expression may also be null or undefined, as `queue?.put(1)` may. */
  isNullable(expression: Node): boolean {
    const type = this.checker.getTypeAtLocation(this.tsNode(expression))
    return this.checker.getNonNullableType(type) !== type
  }

  /** Whether the expression is in a position for a function that is called only for its effect: `(…) => void`. */
  isExpectedToReturnNothing(expression: Node): boolean {
    const results = this.expectedResults(expression)
    return results.length > 0 && results.every((type) => this.checker.typeToString(type) === 'void')
  }

  /** Whether the expression is in a position for a function that may return a coroutine by its declaration. */
  isExpectedToReturnCoroutine(expression: Node): boolean {
    return this.expectedResults(expression).some((type) => parts(type).some((part) => this.yieldTypes(part).some((yielded) => this.isSuspension(yielded))))
  }

  /** What calling the expression, a function, returns. */
  kindOfResult(expression: Node): Kind {
    const type = this.checker.getTypeAtLocation(this.tsNode(expression))
    return strongest(type.getCallSignatures().map((signature) => this.kindOfType(signature.getReturnType())))
  }

  /** Whether the generator function is declared to yield coroutines or tasks, so that `yield sleep(1)` in it is intended. */
  isDeclaredToYieldAwaitables(generator: Node): boolean {
    const fn = this.tsNode(generator) as ts.FunctionDeclaration | ts.FunctionExpression
    const declared = fn.type === undefined ? this.expectedResults(generator) : [this.checker.getTypeFromTypeNode(fn.type)]
    return declared.some((type) => this.yieldTypes(type).some((part) => this.yieldTypes(part).some((yielded) => this.isSuspension(yielded))))
  }

  private kindOfType(type: ts.Type): Kind {
    let kind = this.kinds.get(type)
    if (kind === undefined) {
      this.kinds.set(type, 'other') // the answer for a type that occurs inside itself
      kind = type.isUnion() ? strongest(type.types.map((part) => this.kindOfType(part))) : this.kindOfSingleType(type)
      this.kinds.set(type, kind)
    }
    return kind
  }

  private kindOfSingleType(type: ts.Type): Kind {
    if (type.getProperty('then') !== undefined) return 'other' // it runs unawaited, as a future does, which is its own iterator
    for (const method of ['next', 'return', 'throw']) {
      if (type.getProperty(method) === undefined) return 'other'
    }
    const yielded = this.yieldTypes(type)
    if (yielded.some((part) => this.isSuspension(part))) return 'coroutine'
    return yielded.length > 0 && yielded.every((part) => this.checker.typeToString(part) === 'never') ? 'idle' : 'other'
  }

  /** What a generator, iterator or iterable yields before its end. */
  private yieldTypes(type: ts.Type): ts.Type[] {
    const iterator = this.iteratorOf(type)
    const next = type.getProperty('next')
    if (next === undefined) return iterator === undefined ? [] : this.results(iterator).flatMap((made) => this.yieldTypes(made))
    return this.results(next).flatMap(parts).flatMap((result) => {
      const done = this.propertyType(result, 'done')
      const value = this.propertyType(result, 'value')
      const isLast = done !== undefined && this.checker.typeToString(done) === 'true'
      return value === undefined || isLast ? [] : parts(value)
    })
  }

  private iteratorOf(type: ts.Type): ts.Symbol | undefined {
    return type.getProperties().find((property) => property.name.startsWith('__@iterator@'))
  }

  private results(method: ts.Symbol): ts.Type[] {
    return this.checker.getTypeOfSymbol(method).getCallSignatures().map((signature) => signature.getReturnType())
  }

  /** What a function would return according to its context. Empty if the context expects no function. */
  private expectedResults(expression: Node): ts.Type[] {
    const expected = this.checker.getContextualType(this.tsNode(expression) as ts.Expression)
    if (expected === undefined) return []
    const signatures = parts(this.checker.getNonNullableType(expected)).flatMap((part) => part.getCallSignatures())
    return signatures.map((signature) => signature.getReturnType())
  }

  private propertyType(type: ts.Type, name: string): ts.Type | undefined {
    const property = type.getProperty(name)
    return property === undefined ? undefined : this.checker.getTypeOfSymbol(property)
  }

  /** The runtime's mark: an interface of this name, with the property that says what to write. */
  private isSuspension(type: ts.Type): boolean {
    if ((type.aliasSymbol ?? type.getSymbol())?.name !== 'Suspension') return false
    return type.getProperties().some(({ name }) => name.startsWith('await with yield*'))
  }

  private tsNode(node: Node): ts.Node {
    return this.services.esTreeNodeToTSNodeMap.get(node)
  }
}

function parts(type: ts.Type): ts.Type[] {
  return type.isUnion() ? type.types : [type]
}

function strongest(kinds: Kind[]): Kind {
  if (kinds.includes('coroutine')) return 'coroutine'
  return kinds.includes('idle') ? 'idle' : 'other'
}

const perFile = new WeakMap<SourceCode, CoroutineTypes>()

/** The types of the linted file. Throws if the parser was not configured for types. */
export function coroutineTypesOf(context: Rule.RuleContext): CoroutineTypes {
  const { sourceCode } = context
  let types = perFile.get(sourceCode)
  if (types === undefined) {
    const services = sourceCode.parserServices as Partial<TypedServices> | undefined
    if (services?.program === undefined || services.program === null || services.esTreeNodeToTSNodeMap === undefined) {
      throw new Error(
        `${context.id} decides by type, and ${context.filename} was parsed without types: use typescript-eslint's parser ` +
          'with `languageOptions: { parserOptions: { projectService: true } }`',
      )
    }
    types = new CoroutineTypes(services as TypedServices)
    perFile.set(sourceCode, types)
  }
  return types
}
