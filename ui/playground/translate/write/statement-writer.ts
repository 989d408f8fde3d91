// What the writers of statements share: the lines, the declarations of variables, and what is around the statement that is being written.
import type { Declarations } from '../declarations.ts'
import { targetsOf, type Routine, type Scope } from '../scopes.ts'
import type { At, Comment, Expression, Statement } from '../tree.ts'
import { Lines } from './lines.ts'
import { isUnused } from './targets.ts'
import type { Writer } from './writer.ts'

interface Loop {
  label: string | null
  /** How many bodies of their own are around the loop. */
  bodies: number
}

export type Declared = 'const' | 'let' | null

export abstract class StatementWriter extends Lines {
  readonly w: Writer
  readonly declarations: Declarations
  /** Whether `main` is exported, because nothing else runs it. */
  readonly exported: boolean
  loops: Loop[] = []
  /** How many bodies of `with` scopes are functions around this. */
  bodies = 0
  /** How many guards of locks are around this. */
  guards = 0
  /** The statement that is being written, if its block ends with it. */
  lastInBlock: Statement | null = null

  constructor(w: Writer, declarations: Declarations, comments: readonly Comment[], exported: boolean) {
    super(comments)
    this.w = w
    this.declarations = declarations
    this.exported = exported
  }

  abstract block(body: readonly Statement[]): void

  inner(body: readonly Statement[]): void {
    this.indented(() => this.block(body))
  }

  problem(node: At, message: string): void {
    this.put(this.w.problem(node, message).text)
  }

  code(node: Expression, level = 0): string {
    return this.w.code(node, level)
  }

  /** The function or method around this, which may be a lambda's. */
  get routine(): Routine | undefined {
    return this.w.routines.at(-1)
  }

  get scope(): Scope {
    return this.routine?.scope ?? this.w.program.module
  }

  /** Declares the variables of a scope that only functions assign. */
  declareFirst(scope: Scope): void {
    for (const variable of this.declarations.first) if (variable.scope === scope) this.put(`let ${variable.code}!: ${this.w.ts(variable.type)}`)
  }

  declareBefore(statement: Statement): void {
    for (const variable of this.declarations.before.get(statement) ?? []) this.put(`let ${variable.code}!: ${this.w.ts(variable.type)}`)
  }

  /** How a statement declares its target; null if it only assigns it. */
  own(statement: Statement, target: Expression): Declared {
    const own = this.declarations.own.get(statement)
    const variables = targetsOf(target).filter((name) => target.type === 'Name' || !isUnused(this.w, name)).flatMap((name) => this.w.program.variables.get(name) ?? [])
    if (own === undefined || variables.length === 0 || !variables.every((variable) => own.has(variable))) return null
    return variables.every((variable) => own.get(variable) === 'const') ? 'const' : 'let'
  }

  /** How a statement declares its target; variables that it cannot declare are declared before it. */
  declare(statement: Statement, target: Expression): Declared {
    const own = this.declarations.own.get(statement)
    const declared = this.own(statement, target)
    if (own === undefined || declared !== null) return declared
    for (const name of targetsOf(target)) {
      const variable = this.w.program.variables.get(name)
      if (variable !== undefined && own.has(variable)) this.put(`let ${variable.code}!: ${this.w.ts(variable.type)}`)
    }
    return null
  }
}
