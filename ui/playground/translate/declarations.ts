// Where each variable is declared. Python's variables belong to the whole function; TypeScript's to the block that they are
// declared in: at the first assignment, if everything else about them is below it, or before the statement that contains all of it.
import type { Block, Occurrence, Program, Scope, Variable } from './scopes.ts'
import type { Statement } from './tree.ts'
import { targetsOf } from './scopes.ts'

export interface Declarations {
  /** Variables that a statement declares itself, and whether anything assigns them again. */
  own: Map<Statement, Map<Variable, 'const' | 'let'>>
  /** Variables that are declared before a statement. */
  before: Map<Statement, Variable[]>
  /** Variables of a module that only functions assign. */
  first: Variable[]
}

export function declare(program: Program): Declarations {
  const found: Declarations = { own: new Map(), before: new Map(), first: [] }
  const scopes = new Set<Scope>([program.module, ...program.scopes.values()])
  for (const scope of scopes) {
    if (scope.kind !== 'module' && scope.kind !== 'function') continue
    for (const variable of scope.variables.values()) {
      if (variable.kind === 'local' && variable.occurrences.length > 0) place(variable, found)
    }
  }
  return found
}

function place(variable: Variable, found: Declarations): void {
  const groups = lives(variable)
  if (groups !== null) {
    for (const occurrences of groups) {
      const statement = (occurrences[0] as Occurrence).statement as Statement
      const own = found.own.get(statement) ?? new Map<Variable, 'const' | 'let'>()
      own.set(variable, occurrences.filter(({ write }) => write).length === 1 ? 'const' : 'let')
      found.own.set(statement, own)
    }
    return
  }
  const { occurrences } = variable
  const first = occurrences.find(({ captured }) => !captured)
  if (first === undefined || first.statement === null) {
    found.first.push(variable)
    return
  }
  // The innermost block with all of it, out of loops, in which a value stays from one round to the next.
  let block = first.block
  while (!occurrences.every((other) => inside(other.block, block)) || block.repeats) {
    if (block.parent === null || block.parent.scope.function() !== variable.scope.function()) break
    block = block.parent
  }
  const statement = statementIn(first, block)
  if (statement === null) found.first.push(variable)
  else found.before.set(statement, [...found.before.get(statement) ?? [], variable])
}

/**
 * The occurrences of a variable in groups, each of which begins with an assignment that can be the declaration of all of it;
 * null if some have no such assignment. Two loops with the same variable are two groups.
 */
function lives({ occurrences, scope }: Variable): Occurrence[][] | null {
  const captured = occurrences.some((one) => one.captured)
  const [start] = occurrences.filter((one) => !one.captured)
  if (start === undefined) return null
  if (captured) return declares(start, occurrences) && occurrences.every((one) => covers(start, one)) && !usedInClass(occurrences, scope) ? [[start, ...occurrences.filter((one) => one !== start)]] : null
  const groups: Occurrence[][] = []
  for (const one of occurrences) {
    const group = groups.find(([first]) => covers(first as Occurrence, one))
    if (group !== undefined) group.push(one)
    else if (one.write && declares(one, occurrences)) groups.push([one])
    else return null
  }
  return groups
}

function usedInClass(occurrences: Occurrence[], scope: Scope): boolean {
  return occurrences.some(({ block }) => block.scope.kind === 'class') && scope.kind === 'function'
}

/** Whether `other` is where the declaration at `first` can be seen. */
function covers({ block, statement }: Occurrence, other: Occurrence): boolean {
  if (statement === null) return false
  if (statement.type === 'For' || statement.type === 'AsyncFor') return other.block === block ? other.statement === statement : inBody(other.block, statement)
  if (statement.type === 'With' || statement.type === 'AsyncWith') return other.block === block ? other.statement === statement : inBody(other.block, statement)
  return inside(other.block, block)
}

/** Whether an assignment can be a declaration. */
function declares(first: Occurrence, occurrences: Occurrence[]): boolean {
  const { block, statement } = first
  if (statement === null) return false
  const captured = occurrences.some((other) => other.captured)
  switch (statement.type) {
    case 'Assign': case 'AnnAssign':
      if (statement.type === 'Assign' && (statement.targets.length > 1 || !simple(statement.targets[0] as never))) return false
      if (statement.type === 'AnnAssign' && statement.value === null) return false
      return !usesItself(first, occurrences) && !(captured && block.repeats)
    // Python's loop has one variable for all rounds, and functions see its last value.
    case 'For': case 'AsyncFor': return !captured
    case 'With': case 'AsyncWith': return !(captured && block.repeats)
    default: return false
  }
}

function usesItself(first: Occurrence, occurrences: Occurrence[]): boolean {
  return occurrences.some((other) => !other.write && !other.captured && other.statement === first.statement && other.block === first.block)
}

function simple(target: { type: string }): boolean {
  return target.type === 'Name' || ((target.type === 'Tuple' || target.type === 'List') && targetsOf(target as never).length === (target as { elts?: unknown[] }).elts?.length)
}

function inside(block: Block, outer: Block): boolean {
  for (let at: Block | null = block; at !== null; at = at.parent) if (at === outer) return true
  return false
}

function inBody(block: Block, statement: Statement): boolean {
  for (let at: Block | null = block; at !== null; at = at.parent) if (at.statement === statement) return true
  return false
}

/** The statement of `block` in which an occurrence is. */
function statementIn({ block, statement }: Occurrence, wanted: Block): Statement | null {
  let found = statement
  for (let at: Block | null = block; at !== null && at !== wanted; at = at.parent) found = at.statement
  return found
}
